//! One delivery with the permit to execute it.

use std::sync::Arc;

use actionfleet_broker::Delivery;
use actionfleet_proto::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use crate::metrics::InFlight;

#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) delivery: Delivery,
    pub(crate) lane: Arc<str>,
    pub(crate) at: Timestamp,
    /// Both return to the lane when the job is settled.
    _permit: OwnedSemaphorePermit,
    _in_flight: InFlight,
}

pub(crate) fn receive(
    delivery: Delivery,
    lane: Arc<str>,
    permit: OwnedSemaphorePermit,
    in_flight: InFlight,
) -> Box<Received> {
    let at = Timestamp::now();
    Box::new(Received { delivery, lane, at, _permit: permit, _in_flight: in_flight })
}
