use tokio::sync::watch;

/// What the database is known to have, for whoever waits for changes.
#[derive(Debug)]
pub(crate) struct Revisions {
    catalog: watch::Sender<u64>,
    secrets: watch::Sender<u64>,
}

/// Both revisions, as the database has them.
pub(crate) type Seen = (i64, i64);

impl Revisions {
    pub(crate) fn new((catalog, secrets): Seen) -> Self {
        Self {
            catalog: watch::Sender::new(unsigned(catalog)),
            secrets: watch::Sender::new(unsigned(secrets)),
        }
    }

    pub(crate) fn catalog(&self) -> watch::Receiver<u64> {
        self.catalog.subscribe()
    }

    pub(crate) fn secrets(&self) -> watch::Receiver<u64> {
        self.secrets.subscribe()
    }

    /// Tells who waits where something changed.
    pub(crate) fn saw(&self, (catalog, secrets): Seen) {
        for (sender, revision) in [(&self.catalog, catalog), (&self.secrets, secrets)] {
            let revision = unsigned(revision);
            sender.send_if_modified(|known| {
                let changed = *known != revision;
                *known = revision;
                changed
            });
        }
    }

    /// Tells all, because changes may have been missed.
    pub(crate) fn saw_again(&self, (catalog, secrets): Seen) {
        self.catalog.send_replace(unsigned(catalog));
        self.secrets.send_replace(unsigned(secrets));
    }
}

fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}
