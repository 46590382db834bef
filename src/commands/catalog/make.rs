//! Changes of the catalog: planned on what is there, and made only if it still is.

use actionfleet_store::Snapshot;
use actionfleet_worker::definitions::stored::{Plan, carry_out};

use super::Session;
use crate::exit::{Exit, Failure};

/// How often a change is planned anew because others came first.
const ROUNDS: usize = 20;

impl Session {
    pub(super) async fn snapshot(&self) -> Result<Snapshot, Failure> {
        self.catalog.snapshot().await.map_err(|error| self.failure(&error))
    }

    /// Makes what is planned, all of it at one moment, and tells workers of it; yields the plan.
    pub(super) async fn make(
        &self,
        planning: impl Fn(&Snapshot) -> Result<Plan, Failure>,
    ) -> Result<Plan, Failure> {
        for _ in 0..ROUNDS {
            let plan = planning(&self.snapshot().await?)?;
            if plan.changes.is_empty() {
                return Ok(plan);
            }
            let made = carry_out(&*self.catalog, plan.clone()).await;
            if made.map_err(|error| self.failure(&error))? {
                self.announce().await;
                return Ok(plan);
            }
        }
        let problem = "nothing was changed: others keep changing the catalog; try again";
        Err(Failure::message(Exit::Temporary, problem))
    }
}
