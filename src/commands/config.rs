//! `actionfleet config`

use clap::Args;

use crate::{
    cli::Global,
    config::{Effective, reference},
    exit::{Exit, Failure},
    output::{self, table},
};

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print the table of all keys as a page of Markdown
    #[arg(long)]
    reference: bool,
}

impl ConfigArgs {
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.reference {
            output::print(&reference())?;
            return Ok(Exit::Done);
        }
        let effective = global.settings()?.effective();
        global.output().answer(&effective, || {
            let row = |Effective { key, value, origin }| [key, value, origin.to_string()];
            table(["KEY", "VALUE", "FROM"], effective.iter().cloned().map(row))
        })?;
        Ok(Exit::Done)
    }
}
