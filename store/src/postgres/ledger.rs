use actionfleet_proto::Timestamp;
use async_trait::async_trait;

use super::{
    Postgres,
    bind::bound,
    day::Day,
    ledger_rows::{self, COLUMNS},
};
use crate::{
    error::StoreError,
    ledger::{check_claim, check_filter, check_ids, check_outcome, millis, page, search},
    port::{
        Claim, Claimed, Finished, JobEntry, JobFilter, JobPage, Ledger, Outcome, Parked, Released,
    },
    sql::Dialect,
};

/// Rows of a day are counted up to this many, and estimated beyond.
const COUNTED: i64 = 100_000;

#[async_trait]
impl Ledger for Postgres {
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        check_claim(&claim)?;
        self.claims.claim(claim).await
    }

    async fn park(&self, claim: &Claim, parked: Parked) -> Result<Released, StoreError> {
        check_claim(claim)?;
        self.outcomes.park(claim.clone(), parked).await
    }

    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Finished, StoreError> {
        check_claim(claim)?;
        check_outcome(&outcome)?;
        self.outcomes.finish(claim.clone(), outcome).await
    }

    async fn reopen(&self, job_ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        check_ids(&job_ids)?;
        self.outcomes.reopen(job_ids).await
    }

    async fn get(&self, job_id: &str) -> Result<Option<JobEntry>, StoreError> {
        let session = self.pool.session().await?;
        let client = session.client()?;
        let found = session.run(async {
            let statement = client.prepare_cached(ledger_rows::GET).await?;
            client.query_opt(&statement, &[&job_id]).await
        });
        let found = found.await?;
        session.done();
        Ok(found.map(|row| ledger_rows::read_whole(&row).entry))
    }

    async fn find(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        let limit = check_filter(filter)?;
        let sql = search(Dialect::Postgres, COLUMNS, filter, limit);
        let session = self.pool.session().await?;
        let found = session.run(session.client()?.query(sql.text(), &bound(&sql))).await?;
        session.done();
        let jobs = found.iter().map(|row| ledger_rows::read(row).entry).collect();
        Ok(page(jobs, limit))
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let session = self.pool.session().await?;
        let client = session.client()?;
        let old = "select c.relname::text, greatest(c.reltuples, 0)::bigint \
             from pg_inherits i join pg_class c on c.oid = i.inhrelid \
             where i.inhparent = 'jobs'::regclass and c.relname ~ '^jobs_[0-9]{8}$' \
             and to_date(substr(c.relname, 6), 'YYYYMMDD') < date '1970-01-01' + $1::int \
             order by c.relname";
        let day = Day::of(millis(before));
        let old = session.run(client.query(old, &[&day.0])).await?;
        let mut expired = 0_u64;
        for partition in old {
            let (name, estimated): (String, i64) = (partition.get(0), partition.get(1));
            let count = format!("select count(*) from (select from {name} limit $1) as few");
            let counted = session.run(client.query_opt(&count, &[&COUNTED])).await;
            // somebody else may drop it at the same time
            let Ok(Some(counted)) = counted else { continue };
            let rows = match counted.get::<_, i64>(0) {
                COUNTED => estimated.max(COUNTED),
                exact => exact,
            };
            session.run(client.batch_execute(&format!("drop table if exists {name}"))).await?;
            expired = expired.saturating_add(u64::try_from(rows).unwrap_or(0));
        }
        session.done();
        Ok(expired)
    }
}
