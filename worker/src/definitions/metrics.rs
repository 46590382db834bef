use std::collections::BTreeSet;

use actionfleet_proto::{Timestamp, definition::DefinitionKind};
use prometheus::{IntGauge, IntGaugeVec, Opts, Registry, core::Collector};

use super::{Catalogs, Finding};

#[derive(Debug)]
pub(super) struct Metrics {
    errors: IntGauge,
    loaded: IntGauge,
    revision: IntGauge,
    definitions: IntGaugeVec,
}

impl Metrics {
    /// For the reference of all metrics.
    pub(crate) fn all() -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
        Ok(Self::new()?.collectors())
    }

    fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            errors: IntGauge::new(
                "actionfleet_definitions_errors",
                "Definitions that are wrong now; their last good version is in force.",
            )?,
            loaded: IntGauge::new(
                "actionfleet_definitions_loaded_timestamp_seconds",
                "When the definitions were last loaded, in Unix time.",
            )?,
            revision: IntGauge::new(
                "actionfleet_definitions_revision",
                "Which state of the store's catalog is in force; 0 where definitions are files.",
            )?,
            definitions: IntGaugeVec::new(
                Opts::new(
                    "actionfleet_definitions",
                    "Definitions in force, with the built-in ones.",
                ),
                &["kind"],
            )?,
        })
    }

    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.errors.clone()),
            Box::new(self.loaded.clone()),
            Box::new(self.revision.clone()),
            Box::new(self.definitions.clone()),
        ]
    }

    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new()?;
        metrics.collectors().into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    pub(super) fn found(&self, findings: &[Finding]) {
        let places: BTreeSet<_> = findings.iter().map(|finding| finding.place.whole()).collect();
        self.errors.set(gauge(places.len()));
    }

    pub(super) fn loaded(&self, catalogs: &Catalogs) {
        self.revision.set(i64::try_from(catalogs.revision()).unwrap_or(i64::MAX));
        self.loaded.set(i64::try_from(Timestamp::now().unix_seconds()).unwrap_or(i64::MAX));
        for kind in DefinitionKind::ALL {
            self.definitions.with_label_values(&[kind.as_str()]).set(gauge(catalogs.count(kind)));
        }
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
