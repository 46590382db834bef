//! Publishing to exchanges that producers name. RabbitMQ answers a wrong name by closing the
//! channel, so these publishes have one of their own, and only after asking whether the exchange
//! exists: no producer can break another's replies.

use std::{collections::HashMap, time::Duration};

use actionfleet_proto::Names;
use lapin::{Connection, ExchangeKind, options::ExchangeDeclareOptions, types::FieldTable};
use tokio::{
    sync::{Mutex, mpsc},
    time::Instant,
};

use super::{
    convert::{TooLong, short},
    error::is_channel_error,
    publisher::Publisher,
};
use crate::{
    message::{Address, Message},
    port::PublishError,
};

const WINDOW: usize = 64;
/// An exchange that was there is taken to be there for this long.
const KNOWN_FOR: Duration = Duration::from_secs(60);
const KNOWN_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct GuestPublisher {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    publisher: Option<Publisher>,
    known: HashMap<String, Instant>,
}

impl GuestPublisher {
    pub(super) async fn publish(
        &self,
        connection: &Connection,
        names: &Names,
        exchange: &str,
        to: &Address,
        message: Message,
    ) -> Result<(), PublishError> {
        let publisher = self.state.lock().await.publisher_for(connection, exchange).await?;
        let outcome = publisher.publish(names, to, message).await;
        if outcome == Err(PublishError::LinkLost) && connection.status().connected() {
            // the channel was closed on somebody's wrong name: ask again, publish again
            *self.state.lock().await = State::default();
            return Err(PublishError::Refused);
        }
        outcome
    }
}

impl State {
    async fn publisher_for(
        &mut self,
        connection: &Connection,
        exchange: &str,
    ) -> Result<Publisher, PublishError> {
        let fresh = |known: &Instant| known.elapsed() < KNOWN_FOR;
        if !self.known.get(exchange).is_some_and(fresh) {
            probe(connection, exchange).await?;
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(exchange.to_owned(), Instant::now());
        }
        if let Some(publisher) = &self.publisher {
            return Ok(publisher.clone());
        }
        let (failed, _) = mpsc::channel(1);
        let opened = Publisher::open(connection, WINDOW, failed).await;
        let publisher = opened.map_err(|_| no_channel(connection))?;
        Ok(self.publisher.insert(publisher).clone())
    }
}

async fn probe(connection: &Connection, exchange: &str) -> Result<(), PublishError> {
    let unroutable =
        |why: String| PublishError::Unroutable(format!("exchange {exchange:?} ({why})"));
    let name = short(exchange).map_err(|TooLong| unroutable("its name is too long".into()))?;
    if exchange.is_empty() {
        return Ok(());
    }
    let channel = connection.create_channel().await.map_err(|_| no_channel(connection))?;
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let kind = ExchangeKind::Direct;
    match channel.exchange_declare(name, kind, options, FieldTable::default()).await {
        Ok(()) => Ok(()),
        Err(error) if is_channel_error(&error) => Err(unroutable(error.to_string())),
        Err(_) => Err(no_channel(connection)),
    }
}

/// A link that stands and has no channel to spare is no lost link: that one repairs itself and
/// brings the job again, this one does neither.
fn no_channel(connection: &Connection) -> PublishError {
    if connection.status().connected() { PublishError::Refused } else { PublishError::LinkLost }
}
