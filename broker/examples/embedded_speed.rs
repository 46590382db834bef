//! How many messages a second the embedded queue carries: published and confirmed, consumed, a
//! result published and confirmed, acked, and the result consumed and acked.
//!
//! `cargo run --release -p actionfleet-broker --example embedded_speed [MESSAGES] [FOLDER]`; the
//! folder's disk is what is measured.
#![expect(clippy::print_stdout, reason = "its output")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use actionfleet_broker::{
    Address, Broker, Message, Properties, Source,
    embedded::{Embedded, EmbeddedConfig},
};
use tokio::sync::Semaphore;

type Failure = Box<dyn Error + Send + Sync>;

const PERMITS: u16 = 64;
const PRODUCERS: u32 = 64;
const BODY: usize = 512;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let messages: u32 = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), Into::into);
    let broker: Arc<dyn Broker> = Arc::new(Embedded::open(EmbeddedConfig::new(folder)).await?);
    let began = Instant::now();
    let processor = processor_time();
    let replies = "actionfleet.replies.speed".to_owned();
    let mut results = broker.consume(Source::Replies(replies.clone()), 1_000).await?;
    tokio::spawn(work(broker.clone(), replies));
    let producers = (0..PRODUCERS).map(|producer| {
        let broker = broker.clone();
        tokio::spawn(async move {
            for _ in (producer..messages).step_by(usize::try_from(PRODUCERS)?) {
                broker.publish(&Address::Lane("default".into()), message()).await?;
            }
            Ok::<(), Failure>(())
        })
    });
    let producers: Vec<_> = producers.collect();
    for _ in 0..messages {
        let result = results.next().await.ok_or("closed")?;
        result.ack().await?;
    }
    let took = began.elapsed();
    for producer in producers {
        producer.await??;
    }
    broker.close().await;
    let processor = processor_time().saturating_sub(processor);
    println!(
        "{messages} jobs in {took:.2?}: {:.0} a second, {:.0?} of processor time each",
        f64::from(messages) / took.as_secs_f64(),
        processor / messages,
    );
    Ok(())
}

async fn work(broker: Arc<dyn Broker>, replies: String) -> Result<(), Failure> {
    let mut jobs = broker.consume(Source::Lane("default".into()), PERMITS).await?;
    let permits = Arc::new(Semaphore::new(PERMITS.into()));
    while let Some(job) = jobs.next().await {
        let permit = permits.clone().acquire_owned().await?;
        let (broker, to) = (broker.clone(), Address::Queue(replies.clone()));
        tokio::spawn(async move {
            let published = broker.publish(&to, message()).await;
            let results = Address::Results { routing_key: "a.b".into() };
            let told = broker.publish(&results, message()).await;
            if published.and(told).is_ok() {
                let _ = job.ack().await;
            }
            drop(permit);
        });
    }
    Ok(())
}

fn message() -> Message {
    let mut properties = Properties {
        content_type: Some("application/json".into()),
        message_id: Some("0197f0a0-0000-7000-8000-000000000000".into()),
        correlation_id: Some("0197f0a0-0000-7000-8000-000000000000".into()),
        reply_to: Some("actionfleet.replies.speed".into()),
        ..Properties::default()
    };
    properties.set_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    Message { body: vec![b'x'; BODY].into(), properties }
}

/// Of this process so far, in the kernel's ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
    let ticks = fields.skip(12).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
