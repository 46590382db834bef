//! What the demo runs on: a folder, or servers of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actionfleet_broker::{
    Broker,
    amqp::{Amqp, AmqpConfig},
    embedded::{Embedded, EmbeddedConfig},
};
use actionfleet_local::{Postgres, Rabbit};
use anyhow::Context;
use clap::ValueEnum;

use crate::say;

const LINK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum On {
    /// Queue, store and worker in one process, on one folder
    Embedded,
    /// A private RabbitMQ and a private PostgreSQL
    Rabbitmq,
}

/// Dropped, servers are killed.
pub(crate) enum Ground {
    Folder(PathBuf),
    Servers { rabbit: Box<Rabbit>, store_url: String, _postgres: Box<Postgres> },
}

impl Ground {
    pub(crate) async fn prepare(on: On, folder: &Path) -> anyhow::Result<Self> {
        match on {
            On::Embedded => {
                let data = folder.join("data");
                say(&format!("Everything runs on one folder, {}.", data.display()));
                Ok(Self::Folder(data))
            }
            On::Rabbitmq => {
                say("Starting a private RabbitMQ and a private PostgreSQL …");
                let (rabbit, postgres) = tokio::join!(Rabbit::start(), Postgres::start());
                let (rabbit, postgres) = (Box::new(rabbit?), Box::new(postgres?));
                say(&format!(
                    "They run at 127.0.0.1:{} and 127.0.0.1:{}.",
                    rabbit.port(),
                    postgres.port()
                ));
                let store_url = postgres.database().await?;
                Ok(Self::Servers { rabbit, store_url, _postgres: postgres })
            }
        }
    }

    /// The command of `actionfleet` and what sets it apart.
    pub(crate) fn command(&self) -> Vec<String> {
        match self {
            Self::Folder(data) => {
                ["dev", "--data", &data.display().to_string()].map(str::to_owned).into()
            }
            Self::Servers { rabbit, store_url, .. } => [
                "worker",
                "--set",
                &format!("broker.url={}", rabbit.url()),
                "--set",
                &format!("store.url={store_url}"),
            ]
            .map(str::to_owned)
            .into(),
        }
    }

    /// A link of the demo's own, to put jobs there.
    pub(crate) async fn link(&self) -> anyhow::Result<Arc<dyn Broker>> {
        match self {
            Self::Folder(data) => {
                let embedded = Embedded::open(EmbeddedConfig::new(data)).await;
                Ok(Arc::new(embedded.context("cannot open the queue")?))
            }
            Self::Servers { rabbit, .. } => {
                let connection_name = "actionfleet demo".to_owned();
                let config = AmqpConfig { connection_name, ..AmqpConfig::new(rabbit.url()) };
                let amqp = Amqp::connect(config, Some(LINK_TIMEOUT)).await;
                Ok(Arc::new(amqp.context("cannot link to RabbitMQ")?))
            }
        }
    }
}
