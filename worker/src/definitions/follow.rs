//! How definitions follow their source: a folder by a watch, the store by its revision.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use actionfleet_store::{DEFAULT_TENANT, Snapshot, StoreError};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Catalogs, Definitions, Referable,
    folder::{Look, Read, Watch},
    live::{Inner, OpenError, Pending},
    stored::{Stored, carry_out, plan_what_fits, referable},
};

/// A catalog is mostly changed by many entries at once: one load for all that come in this time.
const QUIET: Duration = Duration::from_millis(100);

/// Between two attempts to reach the store.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often files are compared anew because the catalog has changed meanwhile.
const ROUNDS: usize = 10;

/// What became of the files that are on their way into the store.
enum Applied {
    Nothing,
    All,
    /// Somebody else's change came first.
    Overtaken,
}

impl Definitions {
    /// Follows folder and store until cancelled.
    pub async fn follow(&self, cancel: CancellationToken) {
        let following = async {
            match &self.0.stored {
                Some(stored) => self.0.follow_store(stored).await,
                None => self.0.follow_folder().await,
            }
        };
        cancel.run_until_cancelled(following).await;
    }
}

impl Inner {
    /// Loads for the first time.
    pub(super) async fn start(self: &Arc<Self>) -> Result<(), OpenError> {
        let Some(stored) = &self.stored else {
            if self.folder.is_none() {
                self.set(Catalogs::default());
                return Ok(());
            }
            return self.read_folder(&self.by_themselves()).await;
        };
        let mut pause = PAUSE;
        loop {
            match self.refresh(stored, true).await {
                // what files say can wait: the store's own definitions are there
                started @ Err(OpenError::Store(_)) if self.revision().is_some() => {
                    self.stay_with_the_last(started);
                    return Ok(());
                }
                Err(OpenError::Store(error)) if error.is_temporary() => {
                    tracing::warn!(%error, "waiting for the definitions in the store");
                }
                started => return started,
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    async fn follow_folder(self: &Arc<Self>) {
        let Some(mut watch) = self.watch() else { return };
        loop {
            let look = watch.next().await;
            if self.is_worth_reading(look).await {
                let read = self.read_folder(&self.by_themselves()).await;
                self.stay_with_the_last(read);
            }
        }
    }

    async fn follow_store(self: &Arc<Self>, stored: &Stored) {
        let (mut changes, mut watch) = (stored.catalog().changes(), self.watch());
        // what came since the start was told to nobody
        changes.mark_changed();
        let (mut failed, mut pause) = (false, PAUSE);
        // until they have been read
        let mut files = false;
        loop {
            let look = tokio::select! {
                look = next(&mut watch) => Some(look),
                () = changed(&mut changes) => None,
                () = self.told.notified() => None,
                () = sleep(pause), if failed => None,
            };
            if let Some(look) = look {
                files |= self.is_worth_reading(look).await;
            }
            sleep(QUIET).await;
            changes.mark_unchanged();
            let refreshed = self.refresh(stored, files).await;
            failed = refreshed.is_err();
            files &= failed;
            pause = if failed { pause.saturating_mul(2).min(PAUSE_MAX) } else { PAUSE };
            self.stay_with_the_last(refreshed);
        }
    }

    /// A folder that vanishes takes nothing with it, nor does a store: they may be on their way back.
    #[expect(clippy::unused_self, reason = "it is these definitions that stay")]
    pub(super) fn stay_with_the_last(&self, result: Result<(), OpenError>) {
        if let Err(error) = result {
            tracing::error!(%error, "the last good definitions stay");
        }
    }

    /// Applies what is new in the folder, and loads what is new in the catalog.
    async fn refresh(self: &Arc<Self>, stored: &Stored, files: bool) -> Result<(), OpenError> {
        let mut snapshot = stored.snapshot().await?;
        // what a file names may be there now
        let mut read = Ok(());
        if self.folder.is_some() && (files || self.has_findings_of_files()) {
            let referable = referable(&snapshot, DEFAULT_TENANT, self.handlers.clone());
            read = self.read_folder(&referable).await;
        }
        let mut applied = self.apply_files(stored, &snapshot).await;
        for _ in 0..ROUNDS {
            match &applied {
                Ok(Applied::Nothing) | Err(_) => break,
                Ok(Applied::All) => {
                    snapshot = stored.snapshot().await?;
                    break;
                }
                Ok(Applied::Overtaken) => {
                    snapshot = stored.snapshot().await?;
                    applied = self.apply_files(stored, &snapshot).await;
                }
            }
        }
        self.load(snapshot).await?;
        if matches!(applied, Ok(Applied::Overtaken)) {
            let problem = "others keep changing the catalog".to_owned();
            return Err(StoreError::Temporary(problem).into());
        }
        read.and(applied.map(drop).map_err(OpenError::Store))
    }

    /// Compiles a snapshot that is not in force yet.
    async fn load(self: &Arc<Self>, snapshot: Snapshot) -> Result<(), OpenError> {
        if self.revision() == Some(snapshot.revision) {
            return Ok(());
        }
        let inner = Arc::clone(self);
        let assembling = spawn_blocking(move || {
            let Some(stored) = &inner.stored else { return };
            let (catalogs, findings) = stored.assemble(snapshot);
            inner.found(|all| all.entries = findings);
            inner.set(catalogs);
        });
        assembling.await.map_err(|_| OpenError::Panicked)
    }

    async fn apply_files(
        &self,
        stored: &Stored,
        snapshot: &Snapshot,
    ) -> Result<Applied, StoreError> {
        let pending: Vec<_> = self.pending().values().cloned().collect();
        if pending.is_empty() {
            self.found(|all| all.refused.clear());
            return Ok(Applied::Nothing);
        }
        let (plan, refused) = plan_what_fits(pending, DEFAULT_TENANT, snapshot);
        let applied = if plan.changes.is_empty() { Applied::Nothing } else { Applied::All };
        if !carry_out(&**stored.catalog(), plan).await? {
            return Ok(Applied::Overtaken);
        }
        self.pending().retain(|(kind, identifier), _| {
            refused.iter().any(|finding| finding.place.is_of(*kind, identifier))
        });
        self.found(|all| all.refused = refused);
        Ok(applied)
    }

    /// Puts the files into force, or, where there is a store, on their way into it.
    pub(super) async fn read_folder(
        self: &Arc<Self>,
        referable: &Referable,
    ) -> Result<(), OpenError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let _one = self.reading.lock().await;
        let (inner, referable) = (Arc::clone(self), referable.clone());
        let reading = spawn_blocking(move || inner.folder.as_ref().map(|f| f.read(&referable)));
        let Some(read) = reading.await.map_err(|_| OpenError::Panicked)? else { return Ok(()) };
        let unreadable = |source| OpenError::Folder { folder: folder.path().to_owned(), source };
        let Read { items, changed, findings } = read.map_err(unreadable)?;
        self.found(|all| all.files = findings);
        if self.stored.is_none() {
            self.set(Catalogs::of_all(items));
            return Ok(());
        }
        let mut pending = self.pending();
        pending.extend(changed.into_iter().map(|d| ((d.kind(), d.identifier().to_owned()), d)));
        let there: HashSet<_> = items.iter().map(|item| item.compiled.name()).collect();
        pending.retain(|(kind, identifier), _| there.contains(&(*kind, identifier.as_str())));
        Ok(())
    }

    async fn is_worth_reading(self: &Arc<Self>, look: Look) -> bool {
        let inner = Arc::clone(self);
        let differs = move || inner.folder.as_ref().is_some_and(|f| f.differs().unwrap_or(true));
        look == Look::Changed || spawn_blocking(differs).await.unwrap_or(true)
    }

    fn watch(&self) -> Option<Watch> {
        self.folder.as_ref().map(|folder| Watch::new(folder.path()))
    }

    /// What files may name where there is nothing but files.
    pub(super) fn by_themselves(&self) -> Referable {
        Referable { handlers: self.handlers.clone(), providers: Vec::new() }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never, where there is no folder.
async fn next(watch: &mut Option<Watch>) -> Look {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// Never again, once the store is closed.
async fn changed(changes: &mut watch::Receiver<u64>) {
    if changes.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
