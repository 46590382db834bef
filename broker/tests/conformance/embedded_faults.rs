//! Files that cannot be used, disks that are full.

use std::{fs, io::Write, ops::Range, path::Path, time::Duration};

use actionfleet_broker::{
    BrokerError, LinkState, PublishError, Source,
    embedded::{Embedded, EmbeddedConfig},
};
use actionfleet_proto::Names;
use tokio::time::timeout;

use crate::engines::{EmbeddedEngine, lane, message, next, open};

async fn refusal(config: EmbeddedConfig) -> String {
    match Embedded::open(config).await.unwrap_err() {
        BrokerError::Config(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let engine = EmbeddedEngine::fresh().await;
    let file = engine.config().folder.join("queue.db");
    fs::write(&file, "no database, but long enough to be looked at ".repeat(99)).unwrap();
    let before = fs::read(&file).unwrap();
    let text = refusal(engine.config()).await;
    assert!(text.contains("queue.db") && text.contains("no queue file"), "{text}");
    assert_eq!(fs::read(&file).unwrap(), before);

    fs::remove_file(&file).unwrap();
    engine.open().await.close().await;
    set(&file, "user_version = 2");
    let text = refusal(engine.config()).await;
    assert!(text.contains("queue.db") && text.contains("newer version"), "{text}");
    set(&file, "application_id = 7");
    let text = refusal(engine.config()).await;
    assert!(text.contains("belongs to another program"), "{text}");
}

fn set(file: &Path, pragma: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let engine = EmbeddedEngine::fresh().await;
    let file = engine.config().folder.join("a-file");
    fs::write(&file, "").unwrap();
    let text = refusal(EmbeddedConfig::new(&file)).await;
    assert!(text.contains("a-file") && text.contains("choose another"), "{text}");
    // no user may write there, not even root
    let text = refusal(EmbeddedConfig::new("/proc/self")).await;
    assert!(text.contains("/proc/self/queue.db") && text.contains("choose another"), "{text}");
}

async fn filled(engine: &EmbeddedEngine, messages: u32) {
    let broker = engine.open().await;
    let publishes = (0..messages).map(|n| {
        let broker = broker.clone();
        tokio::spawn(async move {
            let mut message = message(&n.to_string());
            message.body = vec![b'x'; 3_000].into();
            broker.publish(&lane("default"), message).await.unwrap();
        })
    });
    for publish in publishes.collect::<Vec<_>>() {
        publish.await.unwrap();
    }
    broker.close().await;
}

/// Garbage over a part of the file.
fn damage(engine: &EmbeddedEngine, part: impl Fn(usize) -> Range<usize>) {
    let file = engine.config().folder.join("queue.db");
    let mut bytes = fs::read(&file).unwrap();
    let part = part(bytes.len());
    assert!(!part.is_empty());
    bytes[part].fill(0x5A);
    fs::File::create(&file).unwrap().write_all(&bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_its_name_and_a_way_out() {
    let engine = EmbeddedEngine::fresh().await;
    filled(&engine, 100).await;
    damage(&engine, |length| 4_096..length);
    let text = refusal(engine.config()).await;
    assert!(text.contains("queue.db is damaged") && text.contains(".recover"), "{text}");
}

#[tokio::test]
async fn damage_that_shows_itself_later_blocks_the_queue() {
    let engine = EmbeddedEngine::fresh().await;
    filled(&engine, 600).await;
    // some messages in the middle, so that opening does not meet them
    damage(&engine, |length| length / 4..length / 4 + 40_000);
    let broker = engine.open().await;
    let mut consumer = broker.consume(Source::Lane("default".into()), 1_000).await.unwrap();
    let drain = async {
        while let Some(held) = consumer.next().await {
            drop(held);
        }
    };
    let mut link = broker.link();
    let blocked = link.wait_for(|state| matches!(state, LinkState::Blocked(_)));
    let state = tokio::select! {
        state = timeout(Duration::from_secs(20), blocked) => state.unwrap().unwrap().clone(),
        () = drain => panic!("closed"),
    };
    let LinkState::Blocked(reason) = state else { unreachable!() };
    assert!(reason.contains("queue.db is damaged"), "{reason}");
    let outcome = broker.publish(&lane("bulk"), message("x")).await;
    assert_eq!(outcome, Err(PublishError::Refused));
    let error = broker.depth("any").await.unwrap_err();
    assert!(error.to_string().contains("queue.db is damaged"), "{error}");
}

#[tokio::test]
async fn a_full_disk_refuses_publishes_loses_nothing_and_mends() {
    let engine = EmbeddedEngine::fresh().await;
    let config = EmbeddedConfig { max_bytes: Some(1 << 20), ..engine.config() };
    let broker = open(config).await;
    let large = |n: u32| {
        let mut message = message(&n.to_string());
        message.body = vec![b'x'; 30_000].into();
        message
    };
    let mut confirmed = Vec::new();
    let error = loop {
        let n = u32::try_from(confirmed.len()).unwrap();
        match broker.publish(&lane("default"), large(n)).await {
            Ok(()) => confirmed.push(n.to_string()),
            Err(error) => break error,
        }
        assert!(confirmed.len() < 100, "the limit holds");
    };
    assert_eq!(error, PublishError::Refused);
    assert!(confirmed.len() > 10, "{}", confirmed.len());
    let mut link = broker.link();
    let state = link.borrow_and_update().clone();
    let LinkState::Blocked(reason) = state else { panic!("{state:?}") };
    assert!(reason.contains("queue.db cannot grow"), "{reason}");

    let mut consumer = broker.consume(Source::Lane("default".into()), 5).await.unwrap();
    for id in &confirmed {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.properties.message_id.as_ref(), Some(id));
        delivery.ack().await.unwrap();
    }
    let mended = link.wait_for(|state| *state == LinkState::Connected);
    timeout(Duration::from_secs(20), mended).await.expect("mended by the space").unwrap();
    broker.publish(&lane("default"), large(7)).await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!((again.properties.message_id.as_deref(), again.delivery_count), (Some("7"), 0));
    let depth = broker.depth(&Names::default().lane("default")).await.unwrap();
    assert_eq!(depth.ready, 0, "what was refused is not there");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_so() {
    let broker = EmbeddedEngine::fresh().await.open().await;
    let mut huge = message("huge");
    huge.body = vec![0; 32 << 20].into();
    let outcome = broker.publish(&lane("default"), huge.clone()).await;
    assert!(matches!(outcome, Err(PublishError::Unroutable(_))), "{outcome:?}");
    huge.body = huge.body.slice(..=(16 << 20));
    broker.publish(&lane("default"), huge.clone()).await.unwrap();
    let mut consumer = broker.consume(Source::Lane("default".into()), 5).await.unwrap();
    assert_eq!(next(&mut consumer).await.body, huge.body);
}
