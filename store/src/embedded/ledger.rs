use actionfleet_proto::Timestamp;
use async_trait::async_trait;

use super::{Embedded, ledger_rows};
use crate::{
    error::StoreError,
    ledger::{check_claim, check_filter, check_ids, check_outcome, day_start, page},
    port::{
        Claim, Claimed, Finished, JobEntry, JobFilter, JobPage, Ledger, Outcome, Parked, Released,
    },
};

/// So many rows are deleted in one transaction.
const EXPIRED_AT_ONCE: u32 = 2000;

#[async_trait]
impl Ledger for Embedded {
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        check_claim(&claim)?;
        self.writer.ledger().claim(claim).await
    }

    async fn park(&self, claim: &Claim, parked: Parked) -> Result<Released, StoreError> {
        check_claim(claim)?;
        self.writer.ledger().park(claim.clone(), parked).await
    }

    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Finished, StoreError> {
        check_claim(claim)?;
        check_outcome(&outcome)?;
        self.writer.ledger().finish(claim.clone(), outcome).await
    }

    async fn reopen(&self, job_ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        check_ids(&job_ids)?;
        self.writer.ledger().reopen(job_ids).await
    }

    async fn get(&self, job_id: &str) -> Result<Option<JobEntry>, StoreError> {
        let job_id = job_id.to_owned();
        let row =
            self.readers.read(move |connection| ledger_rows::get(connection, &job_id)).await?;
        Ok(row.map(|row| row.entry))
    }

    async fn find(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        let limit = check_filter(filter)?;
        let filter = filter.clone();
        let query = move |connection: &_| ledger_rows::find(connection, &filter, limit);
        Ok(page(self.readers.read(query).await?, limit))
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = day_start(before);
        let mut expired = 0_u64;
        loop {
            let failed = self.writer.errors();
            let statements = move |transaction: &rusqlite::Transaction<'_>| {
                ledger_rows::expire(transaction, before, EXPIRED_AT_ONCE).map_err(failed)
            };
            let deleted = self.writer.write(statements).await?;
            if deleted == 0 {
                return Ok(expired);
            }
            expired = expired.saturating_add(u64::try_from(deleted).unwrap_or(u64::MAX));
        }
    }
}
