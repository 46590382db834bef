//! What a worker can be told. Every value is validated where the configuration is read.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use ipnet::IpNet;

/// See the configuration reference for each key.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Jobs in execution at once, by lane; also the lane's prefetch. 1 to 65,535 each.
    pub lanes: BTreeMap<String, u16>,
    /// The folder of definitions. Where there is a store, its files are applied to the catalog.
    pub definitions: Option<PathBuf>,
    pub limits: Limits,
    pub http: HttpConfig,
    pub breaker: BreakerConfig,
    /// What jobs in flight get before they are cancelled when the worker stops.
    pub grace: Duration,
    pub results: Results,
    pub ledger: LedgerConfig,
}

/// How jobs are written down, where there is a store.
#[derive(Debug, Clone)]
pub struct LedgerConfig {
    pub policy: LedgerPolicy,
    /// How long a job is remembered, by whole days.
    pub retention: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LedgerPolicy {
    /// No job is executed while the ledger is away.
    #[default]
    Required,
    /// Jobs are executed all the same, and may be executed again.
    BestEffort,
    /// There is none.
    Off,
}

/// Who gets the result of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Results {
    /// Its reply address, and whoever wants every result.
    #[default]
    All,
    /// Its reply address alone: a publish less for every job.
    Replies,
}

#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest job body, in bytes.
    pub job_bytes: usize,
    /// The largest response of a backend, in bytes.
    pub response_bytes: usize,
    /// The time limit of an attempt where neither job nor action names one.
    pub timeout: Duration,
    /// The longest time limit of an attempt that anyone may ask for.
    pub max_timeout: Duration,
    /// Deliveries of one message after which its workers are taken to die of it.
    pub deliveries: u64,
}

/// Calls to addresses that users can influence.
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// Private networks that may be called all the same.
    pub allow_networks: Vec<IpNet>,
}

/// When calls to a backend are turned away.
#[derive(Debug, Clone)]
pub struct BreakerConfig {
    /// Share of failed calls at which the circuit opens, above 0 to 1.
    pub failure_ratio: f64,
    /// Calls over which the share is taken.
    pub window: usize,
    /// How long it stays open before calls are tried again.
    pub open_for: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            lanes: BTreeMap::from([("bulk".to_owned(), 64), ("default".to_owned(), 192)]),
            definitions: None,
            limits: Limits::default(),
            http: HttpConfig::default(),
            breaker: BreakerConfig::default(),
            grace: Duration::from_secs(30),
            results: Results::All,
            ledger: LedgerConfig::default(),
        }
    }
}

impl Limits {
    /// What a result holds besides the output: bounded errors, attempts and metadata.
    const ENVELOPE: usize = 64 * 1024;

    /// The largest output, in bytes of JSON: its result is then as large as a job may be.
    pub fn output_bytes(&self) -> usize {
        self.job_bytes.saturating_sub(Self::ENVELOPE)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            job_bytes: 16 * 1024 * 1024,
            response_bytes: 4 * 1024 * 1024,
            timeout: Duration::from_secs(60),
            max_timeout: Duration::from_secs(600),
            deliveries: 20,
        }
    }
}

impl Default for LedgerConfig {
    fn default() -> Self {
        let retention = Duration::from_secs(30 * 24 * 60 * 60);
        Self { policy: LedgerPolicy::Required, retention }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failure_ratio: 0.5, window: 50, open_for: Duration::from_secs(5) }
    }
}
