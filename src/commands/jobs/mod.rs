//! `actionfleet jobs`

mod filter;
mod view;

use actionfleet_broker::Broker;
use actionfleet_producer::{DeadLetters, Filter, Producer, Replay, Settled};
use actionfleet_store::{JobCursor, JobEntry, JobStatus, Store, StoreError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::filter::FilterArgs;
use super::enqueue::submit_failure;
use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{connect, no_link, no_store, require_store},
    exit::{Exit, Failure},
    output::{self, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List(ListArgs),
    /// Show a job: its attempts, and its result
    Show(ShowArgs),
    /// Stop jobs wherever they are
    Cancel(IdsArgs),
    /// Execute dead jobs anew, under their ids
    Retry(IdsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// No more than this many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Only those that come after this job: the last one of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The job's id
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct IdsArgs {
    /// Ids of jobs
    #[arg(required = true)]
    ids: Vec<String>,
}

struct Session {
    settings: Settings,
    store: Store,
    output: Output,
}

impl JobsCommand {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let store = require_store(&settings).await?;
        let session = Session { settings, store, output: global.output() };
        match self {
            Self::List(args) => session.list(args).await,
            Self::Show(args) => session.show(&args.id).await,
            Self::Cancel(args) => session.cancel(&args.ids).await,
            Self::Retry(args) => session.retry(&args.ids).await,
        }
    }
}

impl Session {
    fn failure(&self, error: &StoreError) -> Failure {
        no_store(&self.settings, error)
    }

    /// Lists as it goes for programs, and a table for people.
    async fn list(&self, args: ListArgs) -> Result<Exit, Failure> {
        let mut filter = args.filter.into_filter();
        if let Some(id) = args.after {
            let found = self.store.ledger.get(&id).await.map_err(|error| self.failure(&error))?;
            let last = found.ok_or_else(|| {
                let problem = format!(
                    "--after: the ledger has no job {id}, or has forgotten it; name another"
                );
                Failure::message(Exit::Failed, problem)
            })?;
            filter.after = Some(JobCursor { created_at: last.created_at, job_id: last.job_id });
        }
        let (mut left, mut rows) = (args.limit, Vec::new());
        while left > 0 {
            filter.limit = Some(filter::page_size(left));
            let page = self.store.ledger.find(&filter).await;
            let page = page.map_err(|error| self.failure(&error))?;
            left = left.saturating_sub(page.jobs.len());
            for job in &page.jobs {
                match self.output {
                    Output::Json => output::json(&view::summary(job))?,
                    Output::Human => rows.push(view::row(job)),
                }
            }
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        if self.output == Output::Human {
            output::print(&view::list(rows))?;
            if let Some(last) = filter.after {
                eprintln!("there are more: --after {}, or a higher --limit", last.job_id);
            }
        }
        Ok(Exit::Done)
    }

    async fn show(&self, id: &str) -> Result<Exit, Failure> {
        let job = self.get(id).await?;
        self.output.answer(&view::whole(&job), || view::page(&job))?;
        Ok(Exit::Done)
    }

    async fn get(&self, id: &str) -> Result<JobEntry, Failure> {
        let found = self.store.ledger.get(id).await.map_err(|error| self.failure(&error))?;
        found.ok_or_else(|| {
            let problem = format!("the ledger knows no job {id}; it may wait in its lane");
            Failure::message(Exit::Failed, problem)
        })
    }

    async fn cancel(&self, ids: &[String]) -> Result<Exit, Failure> {
        let topology = Some(self.settings.topology_mode());
        let broker = connect(&self.settings, "jobs", topology).await?;
        let producer = Producer::new(broker.clone(), self.settings.producer_config());
        let mut exit = Exit::Done;
        for id in ids {
            let known = self.store.ledger.get(id).await.map_err(|error| self.failure(&error))?;
            // one that is unknown may be on its way
            let ended = known.and_then(|job| match job.status {
                JobStatus::Finished(status) => Some(format!("it has {} already", status.as_str())),
                JobStatus::Running | JobStatus::Waiting => None,
            });
            if ended.is_none() {
                producer.cancel(id).await.map_err(|error| submit_failure(&error))?;
            } else {
                exit = Exit::Failed;
            }
            let value = json!({"id": id, "asked": ended.is_none(), "problem": ended});
            self.tell(id, &value, ended, "asked every worker to stop it")?;
        }
        broker.close().await;
        Ok(exit)
    }

    /// A job's message is where it died: in the dead letters.
    async fn retry(&self, ids: &[String]) -> Result<Exit, Failure> {
        let topology = Some(self.settings.topology_mode());
        let broker = connect(&self.settings, "jobs", topology).await?;
        let mut exit = Exit::Done;
        for id in ids {
            let job = self.get(id).await?;
            let problem = match job.status {
                JobStatus::Finished(_) => self.revive(&broker, id).await?,
                JobStatus::Running | JobStatus::Waiting => Some("it has not ended yet".to_owned()),
            };
            if problem.is_some() {
                exit = Exit::Failed;
            }
            let value = json!({"id": id, "retried": problem.is_none(), "problem": problem});
            self.tell(id, &value, problem, "put back")?;
        }
        broker.close().await;
        Ok(exit)
    }

    /// The problem, if there is one.
    async fn revive(
        &self,
        broker: &std::sync::Arc<dyn Broker>,
        id: &str,
    ) -> Result<Option<String>, Failure> {
        let letters = DeadLetters::new(broker.clone(), self.settings.names())
            .with_ledger(self.store.ledger.clone());
        let filter = Filter { job_id: Some(id.to_owned()), limit: Some(1), ..Filter::default() };
        let link_timeout = self.settings.producer.link_timeout.0;
        let mut problem = Some(
            "it has no dead letter, and its message is nowhere else; enqueue it under another id"
                .to_owned(),
        );
        let told = |_: &_, settled: &Settled| {
            problem = match settled {
                Settled::Done => None,
                Settled::Kept(why) => Some(why.clone()),
            };
        };
        let replayed = letters.replay(filter, Replay { rate: None, link_timeout }, told).await;
        if let Err(actionfleet_producer::DeadError::Broker(error)) = replayed {
            return Err(no_link(&self.settings, &error));
        }
        Ok(problem)
    }

    fn tell(
        &self,
        id: &str,
        value: &Value,
        problem: Option<String>,
        done: &str,
    ) -> Result<(), Failure> {
        match (self.output, problem) {
            (Output::Json, _) => output::json(value),
            (Output::Human, None) => output::print(&format!("{id}: {done}")),
            (Output::Human, Some(problem)) => {
                eprintln!("{id}: {problem}");
                Ok(())
            }
        }
    }
}
