//! `actionfleet enqueue`

mod job;
mod lines;
mod many;
mod media;
mod progress;
mod result;

use std::{path::PathBuf, time::Duration};

use actionfleet_producer::{Producer, SubmitError, WaitError};
use actionfleet_proto::{Job, Span, Status};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{Global, Role},
    connect::connect,
    exit::{Exit, Failure},
};

/// Waited for a result where `--wait` names no time.
const WAIT: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
#[command(after_help = "\
A line of --jsonl is a whole job ({\"action\": …, \"input\": …}) or, with ACTION given, an input
({\"text\": …}). A line that cannot be used is reported and counted; the others go on.

Examples:
  actionfleet enqueue refine_text --text 'Here are the fastest animals:' --wait
  actionfleet enqueue generate_alt_text --image cat.png --lane bulk
  actionfleet enqueue refine_text --jsonl texts.jsonl --lane bulk")]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct EnqueueArgs {
    /// The action to execute, such as `refine_text`; may stand in the job instead
    action: Option<String>,

    /// A text; repeat it for a list
    #[arg(long, group = "what")]
    text: Vec<String>,
    /// A picture, as a file or an http(s) URL; repeat it for a list
    #[arg(long, group = "what", value_name = "FILE|URL")]
    image: Vec<String>,
    /// A sound, as a file or an http(s) URL; repeat it for a list
    #[arg(long, group = "what", value_name = "FILE|URL")]
    audio: Vec<String>,
    /// JSON: a whole job, or its input; `-` for standard input
    #[arg(long, group = "what", value_name = "FILE")]
    input: Option<PathBuf>,
    /// Many jobs, one a line; `-` for standard input
    #[arg(long, group = "what", value_name = "FILE", conflicts_with_all = ["id", "wait"])]
    jsonl: Option<PathBuf>,

    /// The lane to put them on
    #[arg(long, default_value = "default")]
    lane: String,
    #[command(flatten)]
    given: Given,
    /// The job's id [default: a new one]
    #[arg(long)]
    id: Option<String>,
    /// Wait for the result, 5m where no time is given
    #[arg(long, value_name = "TIMEOUT", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "without the flag, with it, with its value")]
    wait: Option<Option<Span>>,
    /// With --jsonl: stop at the first line that cannot be queued
    #[arg(long, requires = "jsonl")]
    strict: bool,
}

/// Goes before what the jobs say themselves.
#[derive(Debug, Clone, Default, Args)]
struct Given {
    /// Start no earlier than after this time, such as `10m`
    #[arg(long, value_name = "DURATION")]
    delay: Option<Span>,
    /// Whose definitions and secrets are used
    #[arg(long)]
    tenant: Option<String>,
    /// Not the current version of the action's definition, but this one
    #[arg(long, value_name = "NUMBER")]
    action_version: Option<u32>,
}

impl Given {
    fn put_into(&self, job: &mut Job) {
        if self.delay.is_some() {
            job.delay = self.delay;
            job.not_before = None;
        }
        if self.tenant.is_some() {
            job.tenant.clone_from(&self.tenant);
        }
        job.action_version = self.action_version.or(job.action_version);
    }
}

impl EnqueueArgs {
    pub(super) async fn run(mut self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        if let Some(path) = self.jsonl.take() {
            let source = lines::open(&path)?;
            let broker = connect(&settings, "enqueue", Some(settings.topology_mode())).await?;
            let producer = Producer::new(broker.clone(), settings.producer_config());
            let reading = lines::Reading {
                action: self.action,
                given: self.given,
                max: settings.limits.job_bytes.0,
            };
            let run = many::Run { lane: &self.lane, strict: self.strict, output: global.output() };
            let outcome = run.go(&producer, source, reading).await;
            broker.close().await;
            return outcome;
        }
        let job = job::build(&self, settings.limits.job_bytes.0)?;
        let broker = connect(&settings, "enqueue", Some(settings.topology_mode())).await?;
        let producer = Producer::new(broker.clone(), settings.producer_config());
        let outcome = self.one(global, &producer, job).await;
        broker.close().await;
        outcome
    }

    async fn one(self, global: &Global, producer: &Producer, job: Job) -> Result<Exit, Failure> {
        let output = global.output();
        let Some(wait) = self.wait else {
            let id =
                producer.submit(&job, &self.lane).await.map_err(|error| submit_failure(&error))?;
            output.answer(&json!({"id": id, "lane": self.lane}), || id.clone())?;
            return Ok(Exit::Done);
        };
        let wait = wait.map_or(WAIT, |span| span.0);
        let result = producer
            .submit_and_wait(job, &self.lane, wait)
            .await
            .map_err(|error| wait_failure(&error))?;
        if result.status == Status::Succeeded {
            output.answer(&result, || result::text(&result))?;
            return Ok(Exit::Done);
        }
        if output == crate::output::Output::Json {
            crate::output::json(&result)?;
            return Ok(Exit::Failed);
        }
        Err(Failure::message(Exit::Failed, result::problem(&result)))
    }
}

pub(super) fn submit_failure(error: &SubmitError) -> Failure {
    let exit = match error {
        SubmitError::UnknownLane { .. } => Exit::Config,
        error if error.is_temporary() => Exit::Unavailable,
        _ => Exit::Data,
    };
    Failure::message(exit, error)
}

fn wait_failure(error: &WaitError) -> Failure {
    let exit = match error {
        WaitError::Submit(error) => return submit_failure(error),
        WaitError::TimedOut { .. } | WaitError::TooManyWaiters { .. } => Exit::Temporary,
        WaitError::ReplyTaken | WaitError::AlreadyWaiting { .. } => Exit::Data,
        _ => Exit::Unavailable,
    };
    Failure::message(exit, error)
}
