//! What every process can say of itself.

use prometheus::{Gauge, Opts, Registry, core::Collector, process_collector::ProcessCollector};

/// Memory, processor time, open files, and which build this is.
pub(crate) fn process_metrics() -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let build =
        Opts::new("actionfleet_build_info", "Always 1; the label says which build this is.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
    let build = Gauge::with_opts(build)?;
    build.set(1.0);
    Ok(vec![Box::new(ProcessCollector::for_self()), Box::new(build)])
}

pub(crate) fn register_process_metrics(registry: &Registry) -> prometheus::Result<()> {
    process_metrics()?.into_iter().try_for_each(|collector| registry.register(collector))
}
