//! The way of a job to the queue: validate → build → encode → publish.

mod budget;
mod error;
mod pack;
mod send;

use std::{borrow::Cow, sync::Arc};

use actionfleet_broker::{Address, Broker, Message, Properties};
use actionfleet_proto::{Control, Job, check_job_id};
use tokio::time::Instant;

use crate::ProducerConfig;

pub(crate) use budget::Budget;
pub use error::SubmitError;
pub(crate) use pack::Parcel;
pub(crate) use send::{SendError, Sender, deadline};

#[derive(Debug)]
pub(crate) struct Submitter {
    sender: Sender,
    config: ProducerConfig,
}

impl Submitter {
    pub(crate) fn new(broker: Arc<dyn Broker>, config: ProducerConfig) -> Self {
        Self { sender: Sender::new(broker), config }
    }

    /// Makes a message of a job; does not touch the network.
    pub(crate) fn pack(&self, job: Cow<'_, Job>, lane: &str) -> Result<Parcel, SubmitError> {
        let draft = pack::validate(job, lane)?;
        let draft = pack::build(draft, &self.config.app_id);
        pack::encode(draft, self.config.job_bytes)
    }

    /// Publishes, and returns the job's id once the broker confirmed it.
    pub(crate) async fn send(
        &self,
        parcel: Parcel,
        deadline: Instant,
    ) -> Result<String, SubmitError> {
        let Parcel { id, lane, address, message } = parcel;
        let sent = async {
            // the ladder takes any key, and a message for a lane without a queue would be stuck
            if matches!(address, Address::Delayed { .. }) {
                self.sender.find_queue(&self.config.names.lane(&lane), deadline).await?;
            }
            self.sender.send(&address, message, deadline).await
        };
        match sent.await {
            Ok(()) => Ok(id),
            Err(error) => Err(SubmitError::new(error, id, lane)),
        }
    }

    pub(crate) async fn cancel(&self, id: &str, deadline: Instant) -> Result<(), SubmitError> {
        check_job_id(id).map_err(|rule| SubmitError::InvalidId { id: id.to_owned(), rule })?;
        self.control(&Control::Cancel { id: id.to_owned() }, id, deadline).await
    }

    /// To every worker; `about` is what an error names.
    pub(crate) async fn control(
        &self,
        control: &Control,
        about: &str,
        deadline: Instant,
    ) -> Result<(), SubmitError> {
        let properties = Properties {
            content_type: Some(pack::JSON.to_owned()),
            kind: Some(Control::TYPE.to_owned()),
            app_id: Some(self.config.app_id.clone()),
            ..Properties::default()
        };
        let body = serde_json::to_vec(control).unwrap_or_default().into();
        let message = Message { body, properties };
        self.sender
            .send(&Address::Control, message, deadline)
            .await
            .map_err(|error| SubmitError::new(error, about.to_owned(), "control".to_owned()))
    }
}

#[cfg(test)]
mod tests;
