create table secrets (
    tenant text not null,
    name text not null,
    key_id text not null,
    -- version, key id, nonce, ciphertext: see secrets/envelope.rs
    envelope blob not null,
    created_at integer not null,
    updated_at integer not null,
    used_at integer,
    primary key (tenant, name)
) strict, without rowid;
create index secrets_key on secrets (key_id, tenant, name);
