use std::path::{Path, PathBuf};

use actionfleet_store::Snapshot;
use actionfleet_worker::definitions::{
    Loaded, load,
    stored::{Deletion, Plan, Wish, plan, referable},
};
use clap::Args;

use super::{Session, TenantArgs, refused, view};
use crate::{
    commands::check::handler_ids,
    exit::{Exit, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The folder of definitions [default: `definitions.path`]
    folder: Option<PathBuf>,
    #[command(flatten)]
    tenant: TenantArgs,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Delete what the tenant has and the folder has not
    #[arg(long)]
    prune: bool,
    /// A handler of your own that definitions may name; repeatable
    #[arg(long, value_name = "ID")]
    handler: Vec<String>,
}

impl Session {
    pub(super) async fn apply(&self, args: ApplyArgs) -> Result<Exit, Failure> {
        let folder = args.folder.clone().or_else(|| self.settings.definitions_folder());
        let folder = folder.ok_or_else(|| {
            let problem = "there are no definitions; name a FOLDER or set `definitions.path`";
            Failure::message(Exit::NoInput, problem)
        })?;
        let handlers = [handler_ids(&self.settings)?, args.handler.clone()].concat();
        let planning = |snapshot: &Snapshot| args.plan(&folder, &handlers, snapshot);
        let plan = if args.dry_run {
            planning(&self.snapshot().await?)?
        } else {
            self.make(planning).await?
        };
        let view = view::plan(&plan, args.dry_run);
        self.output.answer(&view.value, || view.text)?;
        Ok(Exit::Done)
    }
}

impl ApplyArgs {
    fn plan(
        &self,
        folder: &Path,
        handlers: &[String],
        snapshot: &Snapshot,
    ) -> Result<Plan, Failure> {
        let tenant = &self.tenant.tenant;
        let referable = referable(snapshot, tenant, handlers.to_vec());
        let Loaded { definitions, findings, .. } = load(folder, &referable).map_err(|error| {
            Failure::message(Exit::NoInput, format!("{}: {error}", folder.display()))
        })?;
        if !findings.is_empty() {
            return Err(refused(&findings));
        }
        if self.prune && definitions.is_empty() {
            let problem = format!(
                "{} holds no definitions, and --prune would delete all that tenant {tenant} has; \
                 `actionfleet catalog delete` deletes them one by one",
                folder.display()
            );
            return Err(Failure::message(Exit::Data, problem));
        }
        let delete = if self.prune { Deletion::Rest } else { Deletion::Nothing };
        let wish = Wish { tenant, definitions, delete };
        plan(&wish, snapshot).map_err(|findings| refused(&findings))
    }
}
