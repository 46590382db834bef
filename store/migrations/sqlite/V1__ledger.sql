-- One row a job. Times are milliseconds since 1970.
create table jobs (
    job_id text primary key not null,
    tenant text not null,
    action text not null,
    lane text not null,
    status text not null,
    attempt integer not null,
    fence integer not null,
    why text,
    code text,
    enqueued_at integer not null,
    created_at integer not null,
    claimed_at integer,
    next_at integer,
    finished_at integer,
    cost text,
    currency text,
    dead_lettered integer not null,
    attempts text not null,
    -- last, so that a list of jobs does not read through it
    result blob
) strict;

create index jobs_created on jobs (created_at, job_id);
create index jobs_tenant on jobs (tenant, created_at, job_id);
create index jobs_status on jobs (status, created_at, job_id) where status <> 'succeeded';
create index jobs_code on jobs (code, created_at, job_id) where code is not null;
