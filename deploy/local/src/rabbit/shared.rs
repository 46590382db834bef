use anyhow::Context;
use tokio::sync::{Mutex, OnceCell};

use super::Rabbit;

/// How many virtual hosts one call of `rabbitmqctl` makes. The call itself costs half a second,
/// each virtual host ten milliseconds.
const BATCH: usize = 24;

/// Fresh virtual hosts, made in batches as they are asked for.
#[derive(Debug, Default)]
pub(super) struct VirtualHosts(Mutex<Pool>);

#[derive(Debug, Default)]
struct Pool {
    made: usize,
    ready: Vec<String>,
}

impl Rabbit {
    /// The broker that all tests of one process share, started by the first that asks. It goes
    /// with the process. Tests keep apart by a [`vhost`](Self::vhost) each.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<Rabbit> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// The URL of a virtual host that nobody used before, open to `guest`.
    ///
    /// # Errors
    /// `rabbitmqctl` fails.
    pub async fn vhost(&self) -> anyhow::Result<String> {
        let mut pool = self.virtual_hosts.0.lock().await;
        if pool.ready.is_empty() {
            let names: Vec<String> =
                (pool.made..).take(BATCH).map(|number| format!("vhost-{number}")).collect();
            // counted before it is known whether it worked: a name is never used twice
            pool.made = pool.made.saturating_add(BATCH);
            self.ctl(&["eval", &making(&names)]).await?;
            pool.ready = names;
        }
        let name = pool.ready.pop().context("no virtual host was made")?;
        Ok(self.url_of(&name))
    }
}

/// An Erlang expression, since `rabbitmqctl add_vhost` takes one name, and importing
/// definitions answers before it is done.
fn making(names: &[String]) -> String {
    let list = names.iter().map(|name| format!("<<\"{name}\">>")).collect::<Vec<_>>().join(",");
    format!(
        "[begin \
           ok = rabbit_vhost:add(Name, <<\"guest\">>), \
           ok = rabbit_auth_backend_internal:set_permissions(\
                  <<\"guest\">>, Name, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"guest\">>) \
         end || Name <- [{list}]], ok."
    )
}
