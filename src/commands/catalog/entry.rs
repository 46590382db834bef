//! One entry: shown, switched on and off, deleted.

use actionfleet_store::{Entry, EntryKey};
use actionfleet_worker::definitions::stored::{Change, Deletion, Wish, plan};
use serde_json::json;

use super::{EntryArgs, Session, ShowArgs, refused, view};
use crate::exit::{Exit, Failure};

impl Session {
    pub(super) async fn show(&self, args: ShowArgs) -> Result<Exit, Failure> {
        let key = args.entry.key();
        let entry = self.get(&key, args.version).await?;
        self.output.answer(&view::whole(&entry), || view::page(&entry))?;
        Ok(Exit::Done)
    }

    pub(super) async fn history(&self, args: &EntryArgs) -> Result<Exit, Failure> {
        let key = args.key();
        let versions = self.catalog.history(&key).await.map_err(|error| self.failure(&error))?;
        if versions.is_empty() {
            return Err(there_is_none(&key, None));
        }
        let view = view::history(&versions);
        self.output.answer(&view.value, || view.text)?;
        Ok(Exit::Done)
    }

    pub(super) async fn enable(&self, args: &EntryArgs, enabled: bool) -> Result<Exit, Failure> {
        let key = args.key();
        let before = self.get(&key, None).await?;
        let changes = before.enabled != enabled;
        if changes {
            let after = Entry { enabled, ..before.clone() };
            self.carry_out(Change::Update { before: Box::new(before), after }).await?;
        }
        let value = json!({
            "tenant": key.tenant, "kind": key.kind, "identifier": key.identifier,
            "enabled": enabled, "changed": changes,
        });
        let (is, already) =
            (if enabled { "enabled" } else { "disabled" }, if changes { "" } else { " already" });
        self.output.answer(&value, || format!("{key} is {is}{already}"))?;
        Ok(Exit::Done)
    }

    pub(super) async fn delete(&self, args: &EntryArgs) -> Result<Exit, Failure> {
        let key = args.key();
        let snapshot = self.catalog.snapshot().await.map_err(|error| self.failure(&error))?;
        let delete = Deletion::This(&key);
        let wish = Wish { tenant: &key.tenant, definitions: Vec::new(), delete };
        let plan = plan(&wish, &snapshot).map_err(|findings| refused(&findings))?;
        let deletion = plan.changes.into_iter().next().ok_or_else(|| there_is_none(&key, None))?;
        self.carry_out(deletion).await?;
        let value = json!({
            "tenant": key.tenant, "kind": key.kind, "identifier": key.identifier, "deleted": true,
        });
        self.output.answer(&value, || format!("{key} is deleted"))?;
        Ok(Exit::Done)
    }

    async fn get(&self, key: &EntryKey, version: Option<u32>) -> Result<Entry, Failure> {
        let found = self.catalog.get(key, version).await.map_err(|error| self.failure(&error))?;
        found.ok_or_else(|| there_is_none(key, version))
    }
}

fn there_is_none(key: &EntryKey, version: Option<u32>) -> Failure {
    let problem = match version {
        None => format!("there is no {key}; `actionfleet catalog list` shows what there is"),
        Some(version) => format!(
            "there is no version {version} of {key}; `actionfleet catalog history` shows them"
        ),
    };
    Failure::message(Exit::Failed, problem)
}
