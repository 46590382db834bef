//! The one connection that writes, on a thread of its own.

use std::{collections::BTreeSet, fmt, thread};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{connect::DataFile, error::store_error, ledger_rows};
use crate::{
    error::StoreError,
    ledger::{Batch, BatchConfig, Queue, Work, from_millis, millis_now},
};

/// How many writes wait before callers do.
const BOUND: usize = 4096;

/// What the thread is asked to write.
pub(super) enum Write {
    Ledger(Box<Work>),
    /// With a transaction of its own, commit and answer included.
    Task(Box<dyn FnOnce(&mut Connection) + Send>),
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Ledger(_)) { "Ledger" } else { "Task" })
    }
}

impl From<Work> for Write {
    fn from(work: Work) -> Self {
        Self::Ledger(Box::new(work))
    }
}

/// The way to the thread, which ends when this is dropped and all that was sent is written.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Queue<Write>,
    file: DataFile,
}

impl Writer {
    pub(super) fn start(connection: Connection, file: DataFile) -> Result<Self, StoreError> {
        let (queue, writes) = Queue::new(BOUND);
        let writing = file.clone();
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &writing, writes))
            .map_err(|error| StoreError::Failed(format!("cannot start a thread: {error}")))?;
        Ok(Self { queue, file })
    }

    /// Where calls to the ledger go.
    pub(super) fn ledger(&self) -> &Queue<Write> {
        &self.queue
    }

    /// Runs the statements in a transaction and answers once they are committed. With an error of
    /// theirs, nothing is.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let file = self.file.clone();
        let task = move |connection: &mut Connection| {
            let failed = |error: rusqlite::Error| store_error(file.path(), &error);
            let transact = || {
                let transaction = connection
                    .transaction_with_behavior(TransactionBehavior::Immediate)
                    .map_err(failed)?;
                let value = statements(&transaction)?;
                transaction.commit().map_err(failed)?;
                Ok(value)
            };
            let _ = reply.send(transact());
        };
        let sent = self.queue.0.send(Write::Task(Box::new(task))).await;
        sent.map_err(|_| StoreError::closed())?;
        answer.await.map_err(|_| StoreError::closed())?
    }

    /// The words for what the statements of [`write`](Self::write) meet.
    pub(super) fn errors(&self) -> impl Fn(rusqlite::Error) -> StoreError + Clone + Send + 'static {
        let file = self.file.clone();
        move |error| store_error(file.path(), &error)
    }
}

fn run(mut connection: Connection, file: &DataFile, mut writes: mpsc::Receiver<Write>) {
    let BatchConfig { max_calls, max_bytes, .. } = BatchConfig::DEFAULT;
    let mut next = writes.blocking_recv();
    while let Some(write) = next.take() {
        let first = match write {
            Write::Ledger(work) => *work,
            Write::Task(task) => {
                task(&mut connection);
                next = writes.blocking_recv();
                continue;
            }
        };
        // the commit before this one was the time to gather
        let mut bytes = first.size();
        let mut calls = vec![first];
        while calls.len() < max_calls && bytes < max_bytes {
            match writes.try_recv() {
                Ok(Write::Ledger(work)) => {
                    bytes = bytes.saturating_add(work.size());
                    calls.push(*work);
                }
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        commit(&mut connection, file, Batch::new(calls));
        if next.is_none() {
            next = writes.blocking_recv();
        }
    }
}

fn commit(connection: &mut Connection, file: &DataFile, mut batch: Batch) {
    let written = write(connection, &mut batch);
    match written {
        // nobody else writes during an immediate transaction: there is nothing to do again
        Ok(()) => drop(batch.commit(&BTreeSet::new())),
        Err(error) => batch.fail(&store_error(file.path(), &error)),
    }
}

fn write(connection: &mut Connection, batch: &mut Batch) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let loaded = ledger_rows::load(&transaction, &batch.job_ids())?;
    let changes = batch.decide(loaded, from_millis(millis_now()));
    ledger_rows::store(&transaction, &changes)?;
    transaction.commit()
}
