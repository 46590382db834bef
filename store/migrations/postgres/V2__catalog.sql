-- Grows with every change of what it names; processes look at it to see each other's changes.
-- Its row is locked by whoever changes something, so that changes come one after the other.
create table revisions (
    name text collate "C" primary key,
    revision bigint not null
);
insert into revisions (name, revision) values ('catalog', 0), ('secrets', 0);

create table catalog (
    id bigint generated always as identity primary key,
    tenant text collate "C" not null,
    kind text collate "C" not null,
    identifier text collate "C" not null,
    version bigint not null,
    enabled boolean not null,
    of_type text collate "C",
    -- by language: {"eng-GB": {"name": …, "description": …}}
    texts text not null,
    -- as text, because json types keep neither the order of keys nor every character
    document text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index catalog_key on catalog (tenant, kind, identifier);
create index catalog_identifier on catalog (identifier, id);
create index catalog_updated on catalog (updated_at, id);

-- Names without regard to case, to be searched.
create table catalog_names (
    entry_id bigint not null references catalog (id) on delete cascade,
    language text collate "C" not null,
    folded text collate "C" not null,
    primary key (entry_id, language)
);

create table catalog_history (
    tenant text collate "C" not null,
    kind text collate "C" not null,
    identifier text collate "C" not null,
    version bigint not null,
    enabled boolean not null,
    of_type text collate "C",
    texts text not null,
    document text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant, kind, identifier, version)
);
