//! The barest worker and the barest producer: what the machine and the broker can do.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions,
    },
    types::FieldTable,
};
use serde_json::Value;

#[derive(Args)]
pub(crate) struct LoopOptions {
    #[arg(long)]
    url: String,
    #[arg(long)]
    queue: String,
    #[arg(long)]
    permits: u16,
    /// Called with the job's input; nothing is called without.
    #[arg(long)]
    backend: String,
}

/// Consume, call, publish the answer to `reply_to` with a confirm, ack. Nothing else.
pub(crate) async fn work(options: LoopOptions) -> anyhow::Result<()> {
    let connection = Connection::connect(&options.url, ConnectionProperties::default()).await?;
    let consuming = connection.create_channel().await?;
    let publishing = connection.create_channel().await?;
    publishing.confirm_select(ConfirmSelectOptions::default()).await?;
    consuming.basic_qos(options.permits, BasicQosOptions::default()).await?;
    let mut jobs = consuming
        .basic_consume(
            options.queue.as_str().into(),
            "loop".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let idle = usize::from(options.permits);
    let http = reqwest::Client::builder().pool_max_idle_per_host(idle).build()?;
    let backend: Arc<str> = options.backend.into();
    while let Some(job) = jobs.next().await {
        let job = job?;
        let (publishing, http, backend) = (publishing.clone(), http.clone(), backend.clone());
        tokio::spawn(async move {
            if let Err(error) = one(job, &publishing, &http, &backend).await {
                eprintln!("loop: {error}");
            }
        });
    }
    Ok(())
}

async fn one(
    job: lapin::message::Delivery,
    publishing: &Channel,
    http: &reqwest::Client,
    backend: &str,
) -> anyhow::Result<()> {
    let body: Value = serde_json::from_slice(&job.data)?;
    let answer: Value = http.post(backend).json(&body).send().await?.json().await?;
    let result = serde_json::to_vec(&answer)?;
    let reply_to = job.properties.reply_to().clone().unwrap_or_default();
    let mut properties = BasicProperties::default().with_delivery_mode(2);
    if let Some(id) = job.properties.message_id() {
        properties = properties.with_message_id(id.clone());
    }
    let options = BasicPublishOptions::default();
    publishing.basic_publish("".into(), reply_to, options, &result, properties).await?.await?;
    job.ack(BasicAckOptions::default()).await?;
    Ok(())
}

#[derive(Args)]
pub(crate) struct PublishOptions {
    #[arg(long)]
    url: String,
    #[arg(long)]
    queue: String,
    /// A file with a body a line.
    #[arg(long)]
    file: PathBuf,
}

/// Publishes each line, persistent and confirmed, a thousand unconfirmed at once.
pub(crate) async fn publish(options: PublishOptions) -> anyhow::Result<()> {
    use tokio::io::AsyncBufReadExt;

    let connection = Connection::connect(&options.url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let file = tokio::fs::File::open(&options.file).await?;
    let mut lines = tokio::io::BufReader::new(file).lines();
    let mut confirms = futures::stream::FuturesUnordered::new();
    while let Some(line) = lines.next_line().await? {
        while confirms.len() >= 1_000 {
            confirms.next().await.transpose()?;
        }
        let (channel, queue) = (channel.clone(), options.queue.clone());
        confirms.push(async move {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let flags = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let (exchange, key) = ("".into(), queue.as_str().into());
            channel.basic_publish(exchange, key, flags, line.as_bytes(), properties).await?.await
        });
    }
    while confirms.next().await.transpose()?.is_some() {}
    Ok(())
}
