//! One entry: shown, switched on and off, deleted.

use actionfleet_store::{Entry, EntryKey, Snapshot};
use actionfleet_worker::definitions::stored::{Change, Deletion, Plan, Wish, plan};
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
        let planning = |snapshot: &Snapshot| {
            let before = snapshot.entries.iter().find(|entry| entry.key == key);
            let before = before.ok_or_else(|| there_is_none(&key, None))?.clone();
            let after = Entry { enabled, ..before.clone() };
            let update = Change::Update { before: Box::new(before.clone()), after };
            let changes = if before.enabled == enabled { Vec::new() } else { vec![update] };
            Ok(Plan { revision: snapshot.revision, changes, unchanged: 0 })
        };
        let changes = !self.make(planning).await?.changes.is_empty();
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
        let planning = |snapshot: &Snapshot| {
            let delete = Deletion::This(&key);
            let wish = Wish { tenant: &key.tenant, definitions: Vec::new(), delete };
            let mut plan = plan(&wish, snapshot).map_err(|findings| refused(&findings))?;
            // one that does not read goes, too
            if snapshot.skipped.iter().any(|skipped| skipped.key == key) {
                plan.changes.push(Change::Delete(Entry::new(key.clone(), json!({}))));
            }
            if plan.changes.is_empty() { Err(there_is_none(&key, None)) } else { Ok(plan) }
        };
        self.make(planning).await?;
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
