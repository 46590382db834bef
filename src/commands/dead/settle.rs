//! Dead letters put back or deleted.

use actionfleet_producer::{DeadLetter, Replay, Settled};
use serde_json::json;

use super::{DropArgs, ReplayArgs, Session, view};
use crate::{
    exit::{Exit, Failure},
    output::{self, Answer, Output},
};

impl Session {
    pub(super) async fn replay(&self, args: ReplayArgs) -> Result<Exit, Failure> {
        let filter = args.filter.into_filter(args.limit);
        if args.dry_run {
            return self.dry_run(filter, "put back").await;
        }
        let link_timeout = self.settings.producer.link_timeout.0;
        let how = Replay { rate: args.rate, link_timeout };
        let mut told: Answer = Ok(());
        let tally = self
            .letters
            .replay(filter, how, |letter, settled| {
                if told.is_ok() {
                    told = self.tell(letter, settled, "replayed");
                }
            })
            .await
            .map_err(|error| self.failure(&error))?;
        told?;
        self.total(tally.done, tally.kept, "put back")?;
        Ok(if tally.kept == 0 { Exit::Done } else { Exit::Failed })
    }

    pub(super) async fn drop(&self, args: DropArgs) -> Result<Exit, Failure> {
        let filter = args.filter.into_filter(args.limit);
        if args.dry_run {
            return self.dry_run(filter, "deleted").await;
        }
        let mut told: Answer = Ok(());
        let tally = self
            .letters
            .drop(filter, |letter| {
                if told.is_ok() {
                    told = self.tell(letter, &Settled::Done, "dropped");
                }
            })
            .await
            .map_err(|error| self.failure(&error))?;
        told?;
        self.total(tally.done, tally.kept, "deleted")?;
        Ok(Exit::Done)
    }

    async fn dry_run(
        &self,
        filter: actionfleet_producer::Filter,
        what: &str,
    ) -> Result<Exit, Failure> {
        let count = self.table(filter).await?;
        if self.output == Output::Human {
            eprintln!("{count} would be {what}");
        }
        Ok(Exit::Done)
    }

    /// People are told of what went wrong alone.
    fn tell(&self, letter: &DeadLetter, settled: &Settled, done: &str) -> Answer {
        match (self.output, settled) {
            (Output::Human, Settled::Done) => Ok(()),
            (Output::Human, Settled::Kept(problem)) => {
                eprintln!("{}: kept: {problem}", letter.job_id.as_deref().unwrap_or("-"));
                Ok(())
            }
            (Output::Json, settled) => {
                let mut value = view::summary(letter);
                if let Some(fields) = value.as_object_mut() {
                    let (outcome, problem) = match settled {
                        Settled::Done => (done, None),
                        Settled::Kept(problem) => ("kept", Some(problem)),
                    };
                    fields.insert("outcome".into(), json!(outcome));
                    fields.insert("problem".into(), json!(problem));
                }
                output::json(&value)
            }
        }
    }

    fn total(&self, done: u64, kept: u64, what: &str) -> Answer {
        match (self.output, kept) {
            (Output::Json, _) => Ok(()),
            (Output::Human, 0) => output::print(&format!("{done} {what}")),
            (Output::Human, _) => output::print(&format!("{done} {what}, {kept} kept")),
        }
    }
}
