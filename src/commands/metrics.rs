//! `actionfleet metrics`

use crate::{
    admin::{metrics_reference, process_metrics},
    exit::{Exit, Failure, OrExit},
    output,
};

pub(super) fn run() -> Result<Exit, Failure> {
    let mut collectors = process_metrics().or_exit(Exit::Software)?;
    collectors.extend(actionfleet_worker::metric_collectors().or_exit(Exit::Software)?);
    output::print(&metrics_reference(&collectors))?;
    Ok(Exit::Done)
}
