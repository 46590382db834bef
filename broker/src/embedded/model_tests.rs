//! The queue against a model of it.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};

use super::{
    claim::Room,
    store::{Millis, Store},
    store_tests::{LANE, begin_session, claim, commit, depth, lane, message, open, publish},
};
use crate::message::Address;

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish { delay: u16 },
    RollBack,
    Claim(usize),
    Ack(prop::sample::Index),
    Requeue(prop::sample::Index),
    Crash,
    Advance(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop_oneof![3 => Just(0), 1 => 1..300u16].prop_map(|delay| Step::Publish { delay }),
        1 => Just(Step::RollBack),
        4 => (1..5usize).prop_map(Step::Claim),
        4 => any::<prop::sample::Index>().prop_map(Step::Ack),
        2 => any::<prop::sample::Index>().prop_map(Step::Requeue),
        1 => Just(Step::Crash),
        2 => any::<u8>().prop_map(Step::Advance),
    ]
}

/// Each message by the order in which it came into the queue: its number and how often it was
/// delivered to somebody who crashed.
type Places = BTreeMap<u64, Body>;
type Body = (u32, i64);

#[derive(Default)]
struct Model {
    now: Millis,
    published: u32,
    arrived: u64,
    /// By the time at which they are due, and the order in which they were published.
    delayed: BTreeMap<(Millis, u32), u32>,
    ready: Places,
    /// By its id, its place.
    held: [BTreeMap<i64, (u64, Body)>; 2],
}

impl Model {
    fn arrive(&mut self, number: u32) {
        self.arrived += 1;
        self.ready.insert(self.arrived, (number, 0));
    }

    fn publish(&mut self, store: &mut Store, delay: u16) {
        self.published += 1;
        let number = self.published;
        let to = match delay {
            0 => lane(),
            ms => {
                let delay = Duration::from_millis(ms.into());
                Address::Delayed { lane: "default".into(), delay }
            }
        };
        publish(store, &to, &message(number, None), self.now);
        if delay == 0 {
            self.arrive(number);
        } else {
            self.delayed.insert((self.now + Millis::from(delay) + 1, number), number);
        }
    }

    fn advance(&mut self, store: &mut Store, ms: u8) {
        self.now += Millis::from(ms);
        let now = self.now;
        assert!(!commit(store, |store| store.move_due(now)).unwrap());
        let later = self.delayed.split_off(&(now + 1, 0));
        for number in std::mem::replace(&mut self.delayed, later).into_values() {
            self.arrive(number);
        }
        let next = commit(store, Store::next_due).unwrap();
        assert_eq!(next, self.delayed.keys().next().map_or(Millis::MAX, |(due, _)| *due));
    }

    fn claim(&mut self, store: &mut Store, who: usize, room: usize) {
        let claimed = claim(store, LANE, room, self.now);
        let all = claimed.len() == room;
        for claimed in claimed {
            let (place, expected) = self.ready.pop_first().expect("no more than there is");
            let number: u32 = std::str::from_utf8(&claimed.message.body).unwrap().parse().unwrap();
            assert_eq!((number, claimed.deliveries), expected);
            self.held[who].insert(claimed.id, (place, expected));
        }
        assert!(all || self.ready.is_empty(), "all that there is room for");
    }

    /// One of those that this process holds.
    fn pick(&mut self, who: usize, which: prop::sample::Index) -> Option<(i64, u64, Body)> {
        let ids: Vec<i64> = self.held[who].keys().copied().collect();
        let id = *(!ids.is_empty()).then(|| which.get(&ids))?;
        self.held[who].remove(&id).map(|(place, message)| (id, place, message))
    }

    fn take(&mut self, store: &mut Store, who: usize, step: Step) {
        match step {
            Step::Publish { delay } => self.publish(store, delay),
            Step::RollBack => {
                store.begin().unwrap();
                store.publish(&lane(), &message(0, None), self.now).unwrap().unwrap();
                let room = Room { messages: 3, bytes: 9 };
                store.claim(LANE, room, self.now).unwrap();
                store.roll_back();
            }
            Step::Claim(room) => self.claim(store, who, room),
            Step::Ack(which) => {
                if let Some((id, ..)) = self.pick(who, which) {
                    commit(store, |store| store.ack(id)).unwrap();
                }
            }
            Step::Requeue(which) => {
                if let Some((id, place, message)) = self.pick(who, which) {
                    commit(store, |store| store.requeue(id)).unwrap();
                    self.ready.insert(place, message);
                }
            }
            Step::Crash => {
                let (session, now) = (store.session, self.now);
                let returned = commit(store, |store| store.end_session(session, now)).unwrap();
                assert_eq!(returned, self.held[who].len());
                for (place, (number, count)) in std::mem::take(&mut self.held[who]).into_values() {
                    self.ready.insert(place, (number, count + 1));
                }
                begin_session(store);
            }
            Step::Advance(ms) => self.advance(store, ms),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Two processes on one file, in turn, as one queue in memory would do it.
    #[test]
    fn the_queue_does_as_its_model(steps in vec((0..2usize, step()), 1..120)) {
        let folder = tempfile::tempdir().unwrap();
        let mut stores = [open(&folder), open(&folder)];
        for store in &mut stores {
            store.sync(false).unwrap();
        }
        let mut model = Model { now: 1_000_000, ..Model::default() };
        for (who, step) in steps {
            model.take(&mut stores[who], who, step);
            let ready = u32::try_from(model.ready.len()).unwrap();
            prop_assert_eq!(depth(&mut stores[1 - who], LANE, model.now), ready);
        }
    }
}
