//! `actionfleet dead`

mod filter;
mod settle;
mod view;

use std::{num::NonZeroU32, sync::Arc};

use actionfleet_broker::Broker;
use actionfleet_producer::{DeadError, DeadLetter, DeadLetters};
use clap::{Args, Subcommand};

use self::filter::FilterArgs;
pub(super) use self::filter::code_parser;
use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{connect_to_existing, no_link, open_store},
    exit::{Exit, Failure},
    output::Output,
};

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List dead letters
    List(ListArgs),
    /// Show the dead letter of a job, with its body
    Show(ShowArgs),
    /// Put jobs back on their lanes, under their ids, with all their attempts before them
    Replay(ReplayArgs),
    /// Delete dead letters for good
    Drop(DropArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// No more than this many
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The job's id
    id: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// All dead letters
    #[arg(long, group = "which")]
    all: bool,
    /// No more than this many
    #[arg(long)]
    limit: Option<usize>,
    /// Only list what would be put back
    #[arg(long, group = "which")]
    dry_run: bool,
    /// Jobs per second [default: as fast as the broker takes them]
    #[arg(long)]
    rate: Option<NonZeroU32>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct DropArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// All dead letters
    #[arg(long, group = "which")]
    all: bool,
    /// No more than this many
    #[arg(long)]
    limit: Option<usize>,
    /// Only list what would be deleted
    #[arg(long, group = "which")]
    dry_run: bool,
}

/// One command's look at the dead letters.
struct Session {
    settings: Settings,
    broker: Arc<dyn Broker>,
    letters: DeadLetters,
    output: Output,
}

impl DeadCommand {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let broker = connect_to_existing(&settings, "dead").await?;
        let mut letters = DeadLetters::new(broker.clone(), settings.names());
        if let Some(store) = open_store(&settings).await? {
            letters = letters.with_ledger(store.ledger);
        }
        let session = Session { settings, broker, letters, output: global.output() };
        let outcome = match self {
            Self::List(args) => session.list(args).await,
            Self::Show(args) => session.show(&args.id).await,
            Self::Replay(args) => session.replay(args).await,
            Self::Drop(args) => session.drop(args).await,
        };
        // what was looked at and not settled goes back now
        session.broker.close().await;
        outcome
    }
}

impl Session {
    fn failure(&self, error: &DeadError) -> Failure {
        let DeadError::Broker(error) = error;
        no_link(&self.settings, error)
    }

    async fn list(&self, args: ListArgs) -> Result<Exit, Failure> {
        let filter = args.filter.into_filter(Some(args.limit));
        self.table(filter).await?;
        Ok(Exit::Done)
    }

    async fn show(&self, id: &str) -> Result<Exit, Failure> {
        let found = self.letters.find(id).await.map_err(|error| self.failure(&error))?;
        let Some(letter) = found else {
            let problem = format!("there is no dead letter of job {id}");
            return Err(Failure::message(Exit::Failed, problem));
        };
        let whole = view::whole(&letter);
        self.output.answer(&whole, || view::page(&letter, &whole))?;
        Ok(Exit::Done)
    }

    /// Lists as it goes for programs, and a table for people.
    async fn table(&self, filter: actionfleet_producer::Filter) -> Result<usize, Failure> {
        let limit = filter.limit;
        let mut scan = self.letters.scan(filter).await.map_err(|error| self.failure(&error))?;
        let mut rows = Vec::new();
        let mut count = 0;
        while let Some(letter) = self.next(&mut scan).await? {
            count += 1;
            match self.output {
                Output::Json => crate::output::json(&view::summary(&letter))?,
                Output::Human => rows.push(view::row(&letter)),
            }
        }
        if self.output == Output::Human {
            // the queue's own order does not outlive a look at it
            rows.sort_by(|a, b| view::age(a).cmp(view::age(b)));
            crate::output::print(&view::list(rows))?;
            if limit == Some(count) && scan.left() > 0 {
                eprintln!("there may be more: {} not looked at (--limit)", scan.left());
            }
        }
        Ok(count)
    }

    async fn next(
        &self,
        scan: &mut actionfleet_producer::Scan,
    ) -> Result<Option<DeadLetter>, Failure> {
        scan.next().await.map_err(|error| self.failure(&error))
    }
}
