//! What takes longer than a test should: the time is the test's.

use std::time::Duration;

use actionfleet_proto::{Names, Topology};
use tempfile::TempDir;

use super::{
    EmbeddedConfig,
    claim::{Claimed, Room},
    queues::Plan,
    schema,
    store::{Millis, Store},
};
use crate::{
    message::{Address, Message, Properties},
    port::TopologyMode,
};

pub(super) const LANE: &str = "actionfleet.jobs.default";
const DEAD: &str = "actionfleet.dead";

/// A process's store with a session of its own.
pub(super) fn open(folder: &TempDir) -> Store {
    let config = EmbeddedConfig::new(folder.path());
    let mut store = Store::new(schema::open(&config).unwrap(), Names::default());
    let topology = Topology::new(&config.names, ["default"]);
    store.begin().unwrap();
    store.topology(&topology, TopologyMode::Declare, 0).unwrap().unwrap();
    store.commit().unwrap();
    begin_session(&mut store);
    store
}

pub(super) fn begin_session(store: &mut Store) {
    store.execute("INSERT INTO session (pid, started) VALUES (1, 0)", []).unwrap();
    store.session = store.connection.last_insert_rowid();
}

pub(super) fn commit<T>(store: &mut Store, work: impl FnOnce(&mut Store) -> T) -> T {
    store.begin().unwrap();
    let value = work(store);
    store.commit().unwrap();
    value
}

pub(super) fn message(number: u32, expiration: Option<&str>) -> Message {
    let expiration = expiration.map(str::to_owned);
    let properties = Properties { expiration, ..Properties::default() };
    Message { body: number.to_string().into(), properties }
}

pub(super) fn publish(store: &mut Store, to: &Address, message: &Message, now: Millis) {
    commit(store, |store| store.publish(to, message, now)).unwrap().unwrap();
}

pub(super) fn claim(store: &mut Store, queue: &str, messages: usize, now: Millis) -> Vec<Claimed> {
    let room = Room { messages, bytes: 1 << 20 };
    commit(store, |store| store.claim(queue, room, now)).unwrap().unwrap()
}

pub(super) fn depth(store: &mut Store, queue: &str, now: Millis) -> u32 {
    commit(store, |store| store.depth(queue, now)).unwrap().unwrap().ready
}

pub(super) fn lane() -> Address {
    Address::Lane("default".into())
}

#[test]
fn delayed_messages_count_as_if_on_the_ladder() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    for seconds in [1, 5, 6, 100_000_000] {
        let delay = Duration::from_secs(seconds);
        let to = Address::Delayed { lane: "default".into(), delay };
        publish(&mut store, &to, &message(1, None), 0);
    }
    let names = Names::default();
    let counts = [0, 1, 2, 3, 16].map(|level| depth(&mut store, &names.delay(level), 0));
    assert_eq!(counts, [1, 0, 2, 0, 1]);
}

#[test]
fn what_expires_is_buried_whether_or_not_somebody_comes_by() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    for (number, expiration) in [(1, Some("10")), (2, None), (3, Some("10")), (4, Some("20"))] {
        publish(&mut store, &lane(), &message(number, expiration), 100);
    }
    commit(&mut store, |store| store.expire(109)).unwrap();
    assert_eq!((depth(&mut store, LANE, 0), depth(&mut store, DEAD, 0)), (4, 0));
    commit(&mut store, |store| store.expire(110)).unwrap();
    assert_eq!((depth(&mut store, LANE, 0), depth(&mut store, DEAD, 0)), (3, 1));
    let bodies: Vec<_> =
        claim(&mut store, LANE, 9, 110).into_iter().map(|one| one.message.body).collect();
    assert_eq!(bodies, ["2", "4"]);
    let dead = claim(&mut store, DEAD, 9, 110);
    let from = |letter: &Claimed| {
        let properties = &letter.message.properties;
        assert_eq!(properties.expiration, None);
        properties.text_header("x-first-death-queue").map(str::to_owned)
    };
    assert_eq!(dead.iter().map(from).collect::<Vec<_>>(), [Some(LANE.into()), Some(LANE.into())]);
}

#[test]
fn what_was_delivered_too_often_is_buried() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    publish(&mut store, &lane(), &message(1, None), 0);
    store.execute("UPDATE queue SET delivery_limit = 2 WHERE name = ?1", [LANE]).unwrap();
    store.forget();
    for deliveries in 0..=2 {
        assert_eq!(claim(&mut store, LANE, 1, 0)[0].deliveries, deliveries);
        let session = store.session;
        commit(&mut store, |store| store.return_all(session)).unwrap();
    }
    assert!(claim(&mut store, LANE, 1, 0).is_empty());
    assert_eq!((depth(&mut store, LANE, 0), depth(&mut store, DEAD, 0)), (0, 1));
}

#[test]
fn a_queue_that_expires_outlives_its_consumer_by_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let plan = Plan { name: "r", expires: Some(600_000), ..Plan::default() };
    commit(&mut store, |store| store.create_queue(&plan, 0)).unwrap();
    let to = Address::Queue("r".into());
    publish(&mut store, &to, &message(1, None), 0);
    let consumer = commit(&mut store, |store| store.add_consumer("r")).unwrap().unwrap();
    let is_there = |store: &mut Store, now| {
        commit(store, |store| store.delete_idle(now)).unwrap();
        commit(store, |store| store.depth("r", now)).unwrap().is_some()
    };
    assert!(is_there(&mut store, 10_000_000), "it is consumed");
    commit(&mut store, |store| store.remove_consumer(consumer, 10_000_000)).unwrap();
    assert!(is_there(&mut store, 10_599_999));
    assert_eq!(depth(&mut store, "r", 0), 1);
    assert!(!is_there(&mut store, 10_600_000));
    let left = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM held)";
    assert_eq!(store.number(left, []).unwrap(), 0);
}

#[test]
fn messages_of_one_millisecond_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let to = Address::Delayed { lane: "default".into(), delay: Duration::from_micros(1_500) };
    for number in 0..5 {
        publish(&mut store, &to, &message(number, None), 0);
    }
    for (now, ready) in [(2, 0), (3, 5)] {
        commit(&mut store, |store| store.move_due(now)).unwrap();
        assert_eq!(depth(&mut store, LANE, now), ready);
    }
    let bodies: Vec<_> =
        claim(&mut store, LANE, 9, 3).into_iter().map(|c| c.message.body).collect();
    assert_eq!(bodies, ["0", "1", "2", "3", "4"]);
}
