//! What a worker answers when it is asked what it executes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to the control message `report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerReport {
    /// One per run of a worker.
    pub worker: String,
    /// The lanes that it serves, by name.
    pub lanes: BTreeMap<String, LaneReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneReport {
    /// Jobs that it has received and not settled.
    pub in_flight: u64,
    /// How many that may be at once.
    pub permits: u64,
}

impl WorkerReport {
    /// The `type` property of reports.
    pub const TYPE: &str = "actionfleet.report.v1";
}
