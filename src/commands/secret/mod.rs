//! `actionfleet secret`

mod value;

use actionfleet_store::{DEFAULT_TENANT, SecretInfo, Store, StoreError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{no_store, require_store},
    exit::{Exit, Failure},
    output::{self, Output, table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Create or replace a secret; its value is asked for, or read from standard input
    Set(NameArgs),
    /// List secrets by name, without their values
    List(TenantArgs),
    /// Delete a secret for good
    Delete(NameArgs),
    /// Encrypt anew, with the first key, what is encrypted with another one
    Rotate,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// As definitions name it, such as `OPENAI_API_KEY`
    name: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TenantArgs {
    /// Whose it is; those of `default` are there for all tenants
    #[arg(long, default_value = DEFAULT_TENANT)]
    tenant: String,
}

struct Session {
    settings: Settings,
    store: Store,
    output: Output,
}

impl SecretCommand {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let store = require_store(&settings).await?;
        let session = Session { settings, store, output: global.output() };
        match self {
            Self::Set(args) => session.set(&args.name, &args.tenant.tenant).await,
            Self::List(args) => session.list(&args.tenant).await,
            Self::Delete(args) => session.delete(&args.name, &args.tenant.tenant).await,
            Self::Rotate => session.rotate().await,
        }
    }
}

impl Session {
    async fn set(&self, name: &str, tenant: &str) -> Result<Exit, Failure> {
        let value = value::read(name)?;
        let set = self.store.secrets.set(tenant, name, value).await;
        set.map_err(|error| self.failure(&error))?;
        let value = json!({"tenant": tenant, "name": name, "set": true});
        self.output.answer(&value, || format!("{name} of tenant {tenant} is set"))?;
        Ok(Exit::Done)
    }

    async fn list(&self, tenant: &str) -> Result<Exit, Failure> {
        let secrets =
            self.store.secrets.list(tenant).await.map_err(|error| self.failure(&error))?;
        if self.output == Output::Json {
            secrets.iter().try_for_each(|secret| output::json(&view(tenant, secret)))?;
        } else if secrets.is_empty() {
            output::print(&format!("tenant {tenant} has no secrets"))?;
        } else {
            output::print(&table(
                ["NAME", "CREATED", "UPDATED", "LAST USED", "KEY"],
                secrets.iter().map(row),
            ))?;
        }
        Ok(Exit::Done)
    }

    async fn delete(&self, name: &str, tenant: &str) -> Result<Exit, Failure> {
        let deleted = self.store.secrets.delete(tenant, name).await;
        if !deleted.map_err(|error| self.failure(&error))? {
            let problem = format!("tenant {tenant} has no secret {name}");
            return Err(Failure::message(Exit::Failed, problem));
        }
        let value = json!({"tenant": tenant, "name": name, "deleted": true});
        self.output.answer(&value, || format!("{name} of tenant {tenant} is deleted"))?;
        Ok(Exit::Done)
    }

    async fn rotate(&self) -> Result<Exit, Failure> {
        let rotated = self.store.secrets.rotate().await.map_err(|error| self.failure(&error))?;
        self.output.answer(&json!({"rotated": rotated}), || {
            format!("{rotated} encrypted anew; all are under the first key now")
        })?;
        Ok(Exit::Done)
    }

    fn failure(&self, error: &StoreError) -> Failure {
        no_store(&self.settings, error)
    }
}

fn view(tenant: &str, secret: &SecretInfo) -> Value {
    json!({
        "tenant": tenant,
        "name": secret.name,
        "created_at": secret.created_at,
        "updated_at": secret.updated_at,
        "used_at": secret.used_at,
        "key_id": secret.key_id,
    })
}

fn row(secret: &SecretInfo) -> [String; 5] {
    let used = secret.used_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    [
        secret.name.clone(),
        secret.created_at.to_string(),
        secret.updated_at.to_string(),
        used,
        secret.key_id.clone(),
    ]
}
