use std::{
    fs, io,
    path::{Path, PathBuf},
};

use actionfleet_proto::definition::DefinitionKind;
use actionfleet_store::Entry;
use actionfleet_worker::definitions::stored::document_of;
use clap::Args;
use serde_json::json;

use super::{Session, TenantArgs};
use crate::exit::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A folder that is empty or not there yet
    folder: PathBuf,
    #[command(flatten)]
    tenant: TenantArgs,
}

impl Session {
    pub(super) async fn export(&self, args: ExportArgs) -> Result<Exit, Failure> {
        let snapshot = self.snapshot().await?;
        let ours = |entry: &&Entry| {
            let kinds = DefinitionKind::ALL.map(DefinitionKind::as_str);
            entry.key.tenant == args.tenant.tenant && kinds.contains(&&*entry.key.kind)
        };
        let entries: Vec<&Entry> = snapshot.entries.iter().filter(ours).collect();
        let folder = args.folder.display();
        write(&args.folder, &entries)
            .map_err(|error| Failure::message(Exit::Io, format!("{folder}: {error}")))?;
        let (count, tenant) = (entries.len(), &args.tenant.tenant);
        let skipped = snapshot.skipped.iter().filter(|skipped| skipped.key.tenant == *tenant);
        let skipped: Vec<_> = skipped.collect();
        for skipped in &skipped {
            eprintln!("{}: {}; it is left out", skipped.key, skipped.problem);
        }
        let value = json!({"folder": args.folder, "tenant": tenant, "written": count});
        self.output
            .answer(&value, || format!("{count} definitions of tenant {tenant} are in {folder}"))?;
        Ok(if skipped.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

/// Identifiers have no character that means something in a path.
fn write(folder: &Path, entries: &[&Entry]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Err(io::Error::other("is not empty; name another folder"));
    }
    for entry in entries {
        let path = folder.join(format!("{}.{}.json", entry.key.kind, entry.key.identifier));
        let text = serde_json::to_string_pretty(&document_of(entry))?;
        fs::write(path, text + "\n")?;
    }
    Ok(())
}
