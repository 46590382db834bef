//! What goes to every worker at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message on the control exchange. Workers ignore what they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// Stop the job where it runs; refuse it where it arrives.
    Cancel { id: String },
    /// Send a report of what is in execution to the queue that the AMQP property `reply_to` names,
    /// with the `correlation_id` of this message.
    Report,
    /// The catalog of definitions has changed: look at it now.
    CatalogChanged,
}

impl Control {
    /// The `type` property of control messages.
    pub const TYPE: &str = "actionfleet.control.v1";
}
