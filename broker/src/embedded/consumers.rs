//! Who consumes here, how much of it is unsettled, and handing out.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    claim::{Claimed, Room},
    inbox::Chore,
};
use crate::port::{Delivery, Settle};

/// Bytes that one consumer may have unsettled besides the message that exceeds them: a prefetch of
/// a thousand must not be sixteen gigabytes.
const UNSETTLED_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Registered {
    /// Of its row.
    pub(super) id: i64,
    pub(super) queue: String,
    pub(super) prefetch: usize,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) stop: CancellationToken,
    pub(super) settle: Arc<dyn Settle>,
}

impl Registered {
    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.deliveries.is_closed()
    }
}

#[derive(Debug)]
struct Member {
    registered: Registered,
    unsettled: usize,
    bytes: usize,
}

impl Member {
    fn room(&self) -> Option<Room> {
        let messages = self.registered.prefetch.saturating_sub(self.unsettled);
        let bytes = UNSETTLED_BYTES.saturating_sub(self.bytes);
        (messages > 0 && bytes > 0).then_some(Room { messages, bytes })
    }
}

/// Whose place an unsettled message takes.
#[derive(Debug)]
struct Unsettled {
    consumer: i64,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Consumers {
    members: Vec<Member>,
    unsettled: HashMap<i64, Unsettled>,
    lost: CancellationToken,
}

impl Consumers {
    pub(super) fn new(lost: CancellationToken) -> Self {
        Self { members: Vec::new(), unsettled: HashMap::new(), lost }
    }

    pub(super) fn register(&mut self, registered: Registered) {
        self.members.push(Member { registered, unsettled: 0, bytes: 0 });
    }

    /// Takes out those that were stopped or dropped.
    pub(super) fn leaving(&mut self) -> Vec<Chore> {
        let over = self.members.extract_if(.., |member| member.registered.is_over());
        over.map(|member| Chore::Leave(member.registered.id)).collect()
    }

    /// Whether somebody waits for messages that another process may publish.
    pub(super) fn wait(&self) -> bool {
        self.members.iter().any(|member| member.room().is_some())
    }

    /// Who can take how much from which queue; another one comes first each time.
    pub(super) fn rooms(&mut self) -> Vec<(i64, String, Room)> {
        if !self.members.is_empty() {
            self.members.rotate_left(1);
        }
        let open = self.members.iter().filter(|member| !member.registered.is_over());
        let rooms = open.filter_map(|member| {
            let Registered { id, queue, .. } = &member.registered;
            member.room().map(|room| (*id, queue.clone(), room))
        });
        rooms.collect()
    }

    /// Hands out what was claimed; what nobody takes any more goes back.
    pub(super) fn deliver(&mut self, consumer: i64, claimed: Vec<Claimed>) -> Vec<Chore> {
        let member = self.members.iter_mut().find(|member| member.registered.id == consumer);
        let Some(member) = member else {
            return claimed.into_iter().map(|claimed| Chore::Requeue(claimed.id)).collect();
        };
        let mut back = Vec::new();
        for claimed in claimed {
            let (id, bytes) = (claimed.id, claimed.bytes());
            let settle = member.registered.settle.clone();
            let delivery = delivery(claimed, self.lost.clone(), settle);
            if member.registered.deliveries.try_send(delivery).is_err() {
                back.push(Chore::Requeue(id));
                continue;
            }
            member.unsettled += 1;
            member.bytes += bytes;
            self.unsettled.insert(id, Unsettled { consumer, bytes });
        }
        back
    }

    /// A message's place is free again.
    pub(super) fn settled(&mut self, message: i64) {
        let Some(Unsettled { consumer, bytes }) = self.unsettled.remove(&message) else { return };
        let member = self.members.iter_mut().find(|member| member.registered.id == consumer);
        if let Some(member) = member {
            member.unsettled = member.unsettled.saturating_sub(1);
            member.bytes = member.bytes.saturating_sub(bytes);
        }
    }
}

pub(super) fn delivery(
    claimed: Claimed,
    lost: CancellationToken,
    settle: Arc<dyn Settle>,
) -> Delivery {
    let count = u64::try_from(claimed.deliveries).unwrap_or(0);
    let number = u64::try_from(claimed.id).unwrap_or(0);
    Delivery::new(claimed.message, count, lost, settle, number)
}
