-- One row a job, in a partition for each UTC day on which rows came, so that a day is dropped at
-- once. An id is unique within a day by the primary key, and over all days because whoever adds
-- a row holds a lock on its day (see postgres/day.rs).
create table jobs (
    job_id text collate "C" not null,
    day date not null,
    tenant text collate "C" not null,
    action text collate "C" not null,
    lane text collate "C" not null,
    status text collate "C" not null,
    attempt bigint not null,
    fence bigint not null,
    why text collate "C",
    code text collate "C",
    enqueued_at timestamptz not null,
    -- on the day, by the server's clock
    created_at timestamptz not null,
    claimed_at timestamptz,
    next_at timestamptz,
    finished_at timestamptz,
    cost numeric,
    currency text collate "C",
    dead_lettered boolean not null,
    attempts json not null,
    result bytea,
    primary key (job_id, day)
) partition by range (day);

create index jobs_created on jobs (created_at, job_id);
create index jobs_tenant on jobs (tenant, created_at, job_id);
create index jobs_status on jobs (status, created_at, job_id) where status <> 'succeeded';
create index jobs_code on jobs (code, created_at, job_id) where code is not null;

-- Makes the partition of a day if there is none.
create function make_jobs_day(day date) returns void language plpgsql as $$
begin
    -- two that make the same one at once would both find none
    perform pg_advisory_xact_lock(1633907814, -1);
    execute format(
        'create table if not exists %I partition of jobs for values from (%L) to (%L)',
        'jobs_' || to_char(day, 'YYYYMMDD'), day, day + 1
    );
end
$$;
