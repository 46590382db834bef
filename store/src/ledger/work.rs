//! Calls on their way to a batch.

use tokio::sync::{mpsc, oneshot};

use crate::{
    error::StoreError,
    port::{Claim, Claimed, Finished, Outcome, Parked, Released},
};

/// One call, with who waits for its answer.
#[derive(Debug)]
pub(crate) enum Work {
    Claim(Call<Claim, Claimed>),
    Park(Call<(Claim, Parked), Released>),
    Finish(Call<(Claim, Outcome), Finished>),
    Reopen(Call<Vec<String>, Vec<String>>),
}

#[derive(Debug)]
pub(crate) struct Call<C, A> {
    pub(super) command: C,
    /// Given before the commit, sent after it.
    pub(super) answer: Option<A>,
    reply: oneshot::Sender<Result<A, StoreError>>,
}

impl<C, A> Call<C, A> {
    pub(super) fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn settle(self, committed: Result<(), StoreError>) {
        let answer = match (committed, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Ok(()), None) => Err(StoreError::Temporary("it changed too often meanwhile".into())),
            (Err(error), _) => Err(error),
        };
        // a caller that is gone needs no answer
        let _ = self.reply.send(answer);
    }
}

impl Work {
    /// Answers the caller: with what was decided, or why it was not committed.
    pub(crate) fn settle(self, committed: Result<(), StoreError>) {
        match self {
            Self::Claim(call) => call.settle(committed),
            Self::Park(call) => call.settle(committed),
            Self::Finish(call) => call.settle(committed),
            Self::Reopen(call) => call.settle(committed),
        }
    }

    pub(crate) fn job_ids(&self) -> &[String] {
        let one = |claim| std::slice::from_ref(claim);
        match self {
            Self::Claim(call) => one(&call.command.job_id),
            Self::Park(call) => one(&call.command.0.job_id),
            Self::Finish(call) => one(&call.command.0.job_id),
            Self::Reopen(call) => &call.command,
        }
    }

    /// Roughly, in bytes: what a batch is bounded by.
    pub(crate) fn size(&self) -> usize {
        const ROW: usize = 256;
        match self {
            Self::Finish(call) => call.command.1.result.len().saturating_add(ROW),
            Self::Claim(_) | Self::Park(_) => ROW,
            Self::Reopen(call) => call.command.len().saturating_mul(ROW),
        }
    }
}

/// Where callers put their calls; bounded, so that callers wait when the database is slow.
///
/// `M` is what else travels there.
#[derive(Debug)]
pub(crate) struct Queue<M = Work>(pub(crate) mpsc::Sender<M>);

impl<M: From<Work>> Queue<M> {
    pub(crate) fn new(bound: usize) -> (Self, mpsc::Receiver<M>) {
        let (sender, receiver) = mpsc::channel(bound);
        (Self(sender), receiver)
    }

    pub(crate) async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        self.call(claim, Work::Claim).await
    }

    pub(crate) async fn park(&self, claim: Claim, parked: Parked) -> Result<Released, StoreError> {
        self.call((claim, parked), Work::Park).await
    }

    pub(crate) async fn finish(
        &self,
        claim: Claim,
        outcome: Outcome,
    ) -> Result<Finished, StoreError> {
        self.call((claim, outcome), Work::Finish).await
    }

    pub(crate) async fn reopen(&self, job_ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.call(job_ids, Work::Reopen).await
    }

    async fn call<C, A>(
        &self,
        command: C,
        work: impl FnOnce(Call<C, A>) -> Work,
    ) -> Result<A, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call = Call { command, answer: None, reply };
        self.0.send(work(call).into()).await.map_err(|_| StoreError::closed())?;
        answer.await.map_err(|_| StoreError::closed())?
    }
}
