//! A fleet with one handler of your own: answers `{"action": "shout", "input": {"text": "…"}}`.
//!
//! `cargo run -p actionfleet-worker --example own_handler -- amqp://guest:guest@127.0.0.1:5672/%2f`

use std::sync::Arc;

use actionfleet_broker::amqp::{Amqp, AmqpConfig};
use actionfleet_proto::{Input, Output};
use actionfleet_worker::handler::{Action, Completion, Context, Handler, HandlerError};
use actionfleet_worker::{Fleet, config::WorkerConfig};

struct Shout;

#[async_trait::async_trait]
impl Handler for Shout {
    fn id(&self) -> &'static str {
        "shout"
    }

    fn supports(&self, action: &Action) -> bool {
        action.identifier == "shout"
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let Input::Text(texts) = &*context.input else {
            return Err(HandlerError::invalid_input("input", "give a text"));
        };
        Ok(Output::Text(texts.iter().map(|text| text.to_uppercase()).collect()).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("give the broker's URL")?;
    let broker = Arc::new(Amqp::connect(AmqpConfig::new(url), None).await?);
    let fleet = Fleet::new(WorkerConfig::default(), broker, None, prometheus::Registry::new())?;
    fleet.handler(Shout)?.run_until_signal().await?;
    Ok(())
}
