//! `actionfleet catalog`

mod announce;
mod apply;
mod difference;
mod entry;
mod export;
mod list;
mod make;
mod view;

use std::sync::Arc;

use actionfleet_proto::{check_identifier, definition::DefinitionKind};
use actionfleet_store::{Catalog, DEFAULT_TENANT, EntryKey, StoreError};
use actionfleet_worker::definitions::Finding;
use clap::{Args, Subcommand, ValueEnum};

use self::{apply::ApplyArgs, export::ExportArgs, list::ListArgs};
use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{no_store, require_store},
    exit::{Exit, Failure},
    output::Output,
};

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Put the definitions of a folder into the catalog: all of them, or, if any is wrong, none
    Apply(ApplyArgs),
    /// Write a tenant's definitions into a folder, one file each
    Export(ExportArgs),
    /// Search the catalog
    List(ListArgs),
    /// Show a definition, or a version of it
    Show(ShowArgs),
    /// List the versions of a definition, newest first, with what each one changed
    History(EntryArgs),
    /// Let jobs use a definition
    Enable(EntryArgs),
    /// Let no job use a definition, in any version
    Disable(EntryArgs),
    /// Delete a definition that nothing refers to; its versions stay in the history
    Delete(EntryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EntryArgs {
    /// Its kind
    #[arg(value_enum)]
    kind: KindArg,
    /// What it is called
    identifier: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    entry: EntryArgs,
    /// Not the current version, but this one
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
}

#[derive(Debug, Args)]
struct TenantArgs {
    /// Whose it is; what `default` has is there for all tenants
    #[arg(long, default_value = DEFAULT_TENANT, value_parser = tenant)]
    tenant: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    #[value(name = "provider")]
    Provider,
    #[value(name = "action_type", alias = "action-type")]
    ActionType,
    #[value(name = "http_action", alias = "http-action")]
    HttpAction,
}

struct Session {
    settings: Settings,
    catalog: Arc<dyn Catalog>,
    output: Output,
}

impl CatalogCommand {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let catalog = require_store(&settings).await?.catalog;
        let session = Session { settings, catalog, output: global.output() };
        match self {
            Self::Apply(args) => session.apply(args).await,
            Self::Export(args) => session.export(args).await,
            Self::List(args) => session.list(args).await,
            Self::Show(args) => session.show(args).await,
            Self::History(args) => session.history(&args).await,
            Self::Enable(args) => session.enable(&args, true).await,
            Self::Disable(args) => session.enable(&args, false).await,
            Self::Delete(args) => session.delete(&args).await,
        }
    }
}

impl Session {
    fn failure(&self, error: &StoreError) -> Failure {
        no_store(&self.settings, error)
    }
}

impl EntryArgs {
    fn key(&self) -> EntryKey {
        EntryKey::new(&*self.tenant.tenant, self.kind.kind().as_str(), &*self.identifier)
    }
}

impl KindArg {
    fn kind(self) -> DefinitionKind {
        match self {
            Self::Provider => DefinitionKind::Provider,
            Self::ActionType => DefinitionKind::ActionType,
            Self::HttpAction => DefinitionKind::HttpAction,
        }
    }
}

fn tenant(text: &str) -> Result<String, String> {
    check_identifier(text).map_err(|rule| rule.to_string())?;
    Ok(text.to_owned())
}

/// Nothing was changed, because of these.
fn refused(findings: &[Finding]) -> Failure {
    let lines: Vec<String> = findings.iter().map(|finding| format!("\n  {finding}")).collect();
    Failure::message(Exit::Data, format!("nothing was changed:{}", lines.concat()))
}
