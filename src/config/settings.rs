//! Everything that is set, read and checked.

use super::{
    ConfigError, Effective, Layers, Origin,
    check::check,
    sections::{
        Admin, Breaker, Broker, Definitions, Http, Lanes, Limits, Log, Producer, Store, Worker,
        keys,
    },
    values::Values,
};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) broker: Broker,
    pub(crate) store: Store,
    pub(crate) worker: Worker,
    pub(crate) lanes: Lanes,
    pub(crate) limits: Limits,
    pub(crate) http: Http,
    pub(crate) breaker: Breaker,
    pub(crate) definitions: Definitions,
    pub(crate) admin: Admin,
    pub(crate) log: Log,
    pub(crate) producer: Producer,
    pub(super) values: Values,
}

impl Settings {
    /// Reads all layers; the error holds everything that is wrong.
    pub(crate) fn load(layers: Layers) -> Result<Self, ConfigError> {
        let mut values = layers.collect()?;
        for key in keys().filter(|key| !key.is_of_a_lane()) {
            values.set_default(key.name, key.default, key);
        }
        let settings = Self::read(&mut values);
        if let Some(settings) = &settings {
            check(settings, &mut values);
        }
        values.finish()?;
        // a section that did not read has left a problem
        settings.map(|settings| Self { values, ..settings }).ok_or(ConfigError(Vec::new()))
    }

    fn read(values: &mut Values) -> Option<Self> {
        let broker = Broker::read(values);
        let store = Store::read(values);
        let worker = Worker::read(values);
        let lanes = Lanes::read(values);
        let limits = Limits::read(values);
        let http = Http::read(values);
        let breaker = Breaker::read(values);
        let definitions = Definitions::read(values);
        let admin = Admin::read(values);
        let log = Log::read(values);
        let producer = Producer::read(values);
        Some(Self {
            broker: broker?,
            store: store?,
            worker: worker?,
            lanes: lanes?,
            limits: limits?,
            http: http?,
            breaker: breaker?,
            definitions: definitions?,
            admin: admin?,
            log: log?,
            producer: producer?,
            values: Values::default(),
        })
    }

    /// Whether nobody has set the key.
    pub(crate) fn is_default(&self, key: &str) -> bool {
        self.values.origin(key) == Origin::Default
    }

    /// Every key in force, by name, without secrets.
    pub(crate) fn effective(&self) -> Vec<Effective> {
        self.values.effective()
    }
}
