create table secrets (
    tenant text collate "C" not null,
    name text collate "C" not null,
    key_id text collate "C" not null,
    -- version, key id, nonce, ciphertext: see secrets/envelope.rs
    envelope bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant, name)
);
create index secrets_key on secrets (key_id, tenant, name);
