use std::path::PathBuf;

use actionfleet_worker::definitions::{
    Loaded, load,
    stored::{Change, Deletion, Plan, Wish, carry_out, plan, referable},
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
        let dry_run = args.dry_run;
        let plan = self.plan(args).await?;
        let view = view::plan(&plan, dry_run);
        let changes = !plan.changes.is_empty();
        if changes && !dry_run {
            let done = carry_out(&*self.catalog, plan).await;
            done.map_err(|error| self.failure(&error))?;
            self.announce().await;
        }
        self.output.answer(&view.value, || view.text)?;
        Ok(Exit::Done)
    }

    async fn plan(&self, args: ApplyArgs) -> Result<Plan, Failure> {
        let folder = args.folder.or_else(|| self.settings.definitions_folder());
        let folder = folder.ok_or_else(|| {
            let problem = "there are no definitions; name a FOLDER or set `definitions.path`";
            Failure::message(Exit::NoInput, problem)
        })?;
        let snapshot = self.catalog.snapshot().await.map_err(|error| self.failure(&error))?;
        let tenant = args.tenant.tenant;
        let handlers = [handler_ids(&self.settings)?, args.handler].concat();
        let referable = referable(&snapshot, &tenant, handlers);
        let Loaded { definitions, findings, .. } = load(&folder, &referable).map_err(|error| {
            Failure::message(Exit::NoInput, format!("{}: {error}", folder.display()))
        })?;
        if !findings.is_empty() {
            return Err(refused(&findings));
        }
        if args.prune && definitions.is_empty() {
            let problem = format!(
                "{} holds no definitions, and --prune would delete all that tenant {tenant} has; \
                 `actionfleet catalog delete` deletes them one by one",
                folder.display()
            );
            return Err(Failure::message(Exit::Data, problem));
        }
        let delete = if args.prune { Deletion::Rest } else { Deletion::Nothing };
        let wish = Wish { tenant: &tenant, definitions, delete };
        plan(&wish, &snapshot).map_err(|findings| refused(&findings))
    }

    pub(super) async fn carry_out(&self, change: Change) -> Result<(), Failure> {
        let plan = Plan { changes: vec![change], unchanged: 0 };
        carry_out(&*self.catalog, plan).await.map_err(|error| self.failure(&error))?;
        self.announce().await;
        Ok(())
    }
}
