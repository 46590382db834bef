-- Grows with every change of what it names; processes look at it to see each other's changes.
create table revisions (
    name text primary key not null,
    revision integer not null
) strict;
insert into revisions (name, revision) values ('catalog', 0), ('secrets', 0);

create table catalog (
    id integer primary key autoincrement,
    tenant text not null,
    kind text not null,
    identifier text not null,
    version integer not null,
    enabled integer not null,
    of_type text,
    -- by language: {"eng-GB": {"name": …, "description": …}}
    texts text not null,
    document text not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index catalog_key on catalog (tenant, kind, identifier);
create index catalog_identifier on catalog (identifier, id);
create index catalog_updated on catalog (updated_at, id);

-- Names without regard to case, to be searched.
create table catalog_names (
    entry_id integer not null references catalog (id) on delete cascade,
    language text not null,
    folded text not null,
    primary key (entry_id, language)
) strict, without rowid;

create table catalog_history (
    tenant text not null,
    kind text not null,
    identifier text not null,
    version integer not null,
    enabled integer not null,
    of_type text,
    texts text not null,
    document text not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;
create unique index catalog_history_key on catalog_history (tenant, kind, identifier, version);
