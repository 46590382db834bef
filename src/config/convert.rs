//! From settings to what the parts take.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use actionfleet_broker::{TopologyMode, amqp::AmqpConfig, embedded::EmbeddedConfig};
use actionfleet_producer::ProducerConfig;
use actionfleet_proto::Names;
use actionfleet_store::{KeyRing, StoreConfig, StoreError};
use actionfleet_worker::config::{
    BreakerConfig, HttpConfig, LedgerConfig, LedgerPolicy, Limits, Results, WorkerConfig,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{
    ConfigError, Settings,
    sections::{LedgerChoice, ResultsChoice, TopologyChoice},
};

/// Taken where `definitions.path` is not set.
const DEFINITIONS: &str = "definitions";
/// Files that a worker has open besides one connection per job.
const OTHER_FILES: u64 = 64;

/// Raises this process's limit of open files as far as it may, and gives it; `None` is no limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // where it cannot be raised, the limit as it stands is the answer
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

impl Settings {
    pub(crate) fn names(&self) -> Names {
        Names::new(self.broker.prefix.0.clone())
    }

    pub(crate) fn lane_names(&self) -> impl Iterator<Item = &str> {
        self.lanes.0.keys().map(String::as_str)
    }

    pub(crate) fn topology_mode(&self) -> TopologyMode {
        match self.broker.topology {
            TopologyChoice::Declare => TopologyMode::Declare,
            TopologyChoice::Verify => TopologyMode::Verify,
        }
    }

    pub(crate) fn amqp_config(
        &self,
        connection_name: &str,
        topology: Option<TopologyMode>,
    ) -> AmqpConfig {
        AmqpConfig {
            tls_ca: self.broker.tls_ca.clone(),
            connection_name: connection_name.to_owned(),
            names: self.names(),
            lanes: self.lane_names().map(str::to_owned).collect(),
            topology,
            heartbeat: self.broker.heartbeat.0,
            publish_window: self.broker.publish_window.get().into(),
            ..AmqpConfig::new(self.broker.url.0.clone())
        }
    }

    pub(crate) fn embedded_config(
        &self,
        folder: &Path,
        topology: Option<TopologyMode>,
    ) -> EmbeddedConfig {
        EmbeddedConfig {
            names: self.names(),
            lanes: self.lane_names().map(str::to_owned).collect(),
            topology,
            ..EmbeddedConfig::new(folder)
        }
    }

    /// `None` where there is no store. Fails where the file of the keys cannot be read.
    pub(crate) fn store_config(&self) -> Result<Option<StoreConfig>, StoreError> {
        let Some(url) = &self.store.url else { return Ok(None) };
        let keys = match (&self.store.keys, &self.store.keys_file) {
            (Some(keys), _) => Some(keys.0.clone()),
            (None, Some(file)) => Some(KeyRing::read(file)?),
            (None, None) => None,
        };
        Ok(Some(StoreConfig {
            pool_size: self.store.pool_size.get().into(),
            timeout: self.store.timeout.0,
            poll: self.store.poll.0,
            keys,
            ..StoreConfig::new(url.0.clone())
        }))
    }

    pub(crate) fn producer_config(&self) -> ProducerConfig {
        let count =
            |number: std::num::NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
        ProducerConfig {
            names: self.names(),
            app_id: self.producer.app_id.0.clone(),
            job_bytes: self.limits.job_bytes.0,
            link_timeout: self.producer.link_timeout.0,
            window: count(self.producer.window),
            window_bytes: self.producer.window_bytes.0,
            waiters: count(self.producer.waiters),
        }
    }

    /// Fails where this machine cannot give what the settings promise.
    pub(crate) fn worker_config(
        &self,
        open_files: Option<u64>,
    ) -> Result<WorkerConfig, ConfigError> {
        let mut values = self.values.clone();
        let lanes = self.permits();
        let permits: u64 = lanes.values().map(|permits| u64::from(*permits)).sum();
        if let Some(limit) = open_files.filter(|limit| permits.saturating_add(OTHER_FILES) > *limit)
        {
            let problem = format!(
                "{permits} jobs at once over all lanes need {} open files, and the limit is \
                 {limit}; raise it (`ulimit -n`, `LimitNOFILE=`) or lower the permits",
                permits.saturating_add(OTHER_FILES)
            );
            values.refuse("worker.permits", problem);
        }
        let definitions = self.definitions_folder();
        if let Some(folder) = definitions.as_ref().filter(|folder| !folder.is_dir()) {
            values.refuse("definitions.path", format!("{} is not a folder", folder.display()));
        }
        values.finish()?;
        Ok(WorkerConfig {
            lanes,
            definitions,
            limits: Limits {
                job_bytes: self.limits.job_bytes.0,
                response_bytes: self.limits.response_bytes.0,
                timeout: self.limits.timeout.0,
                max_timeout: self.limits.max_timeout.0,
                deliveries: self.limits.deliveries.get().into(),
            },
            http: HttpConfig { allow_networks: self.http.allow_networks.0.clone() },
            breaker: BreakerConfig {
                failure_ratio: self.breaker.failure_ratio.0,
                window: usize::try_from(self.breaker.window.get()).unwrap_or(usize::MAX),
                open_for: self.breaker.open_for.0,
            },
            grace: self.worker.grace.0,
            results: match self.worker.results {
                ResultsChoice::All => Results::All,
                ResultsChoice::Replies => Results::Replies,
            },
            ledger: LedgerConfig {
                policy: match self.store.ledger {
                    LedgerChoice::Required => LedgerPolicy::Required,
                    LedgerChoice::BestEffort => LedgerPolicy::BestEffort,
                    LedgerChoice::Off => LedgerPolicy::Off,
                },
                retention: self.store.retention.0,
            },
        })
    }

    /// The folder that is set, or the usual one where it is there.
    pub(crate) fn definitions_folder(&self) -> Option<PathBuf> {
        let usual = || Some(PathBuf::from(DEFINITIONS)).filter(|folder| folder.is_dir());
        self.definitions.path.clone().or_else(usual)
    }

    /// Permits of the lanes that this worker serves: their own, else a share by weight.
    pub(crate) fn permits(&self) -> BTreeMap<String, u16> {
        let served =
            |name: &String| self.worker.lanes.0.is_empty() || self.worker.lanes.0.contains(name);
        let lanes: Vec<_> = self.lanes.0.iter().filter(|(name, _)| served(name)).collect();
        let own = lanes.iter().filter_map(|(_, lane)| lane.permits).map(|own| u64::from(own.get()));
        let shared = u64::from(self.worker.permits.get()).saturating_sub(own.sum());
        let weighed = lanes.iter().filter(|(_, lane)| lane.permits.is_none());
        let weights: u64 = weighed.map(|(_, lane)| u64::from(lane.weight.get())).sum();
        // shares end where the weights so far end, so that rounding loses none
        let (mut weight, mut given) = (0, 0);
        let mut share = |of: u64| {
            weight += of;
            let end = shared * weight / weights.max(1);
            let share = end - given;
            given = end;
            u16::try_from(share.max(1)).unwrap_or(u16::MAX)
        };
        let permits = lanes.iter().map(|(name, lane)| {
            let permits = match lane.permits {
                Some(own) => own.get(),
                None => share(lane.weight.get().into()),
            };
            ((*name).clone(), permits)
        });
        permits.collect()
    }
}
