//! Name resolution: vetted by the guard, and one question at a time for each name.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;

use super::guard::{BlockedAddress, Guard};

type Lookup = Shared<BoxFuture<'static, Result<Arc<[SocketAddr]>, Arc<io::Error>>>>;

/// Asks the system's resolver. Thousands of connections that open at once to one host ask once:
/// each question would hold a thread.
pub(super) struct Resolver {
    guard: Option<Arc<Guard>>,
    lookups: Mutex<HashMap<String, (Instant, Lookup)>>,
}

impl Resolver {
    /// How long an answer is used. Short: who moves a backend expects calls to follow.
    const AGE: Duration = Duration::from_secs(2);

    /// With a guard, only addresses that it allows come out.
    pub(super) fn new(guard: Option<Arc<Guard>>) -> Self {
        Self { guard, lookups: Mutex::default() }
    }

    fn lookup(&self, host: &str) -> Lookup {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, lookup)) = lookups.get(host)
            && asked.elapsed() < Self::AGE
        {
            return lookup.clone();
        }
        lookups.retain(|_, (asked, _)| asked.elapsed() < Self::AGE);
        let name = host.to_owned();
        let lookup = async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(addresses.collect())
        };
        let lookup = lookup.map(|found: io::Result<_>| found.map_err(Arc::new)).boxed().shared();
        lookups.insert(host.to_owned(), (Instant::now(), lookup.clone()));
        lookup
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.lookup(name.as_str());
        let guard = self.guard.clone();
        Box::pin(async move {
            let found = lookup.await?;
            let allowed: Vec<_> = found
                .iter()
                .copied()
                .filter(|address| guard.as_ref().is_none_or(|guard| guard.allows(address.ip())))
                .collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(BlockedAddress { host: name.as_str().to_owned() }.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(resolver: &Resolver, name: &str) -> Result<Vec<SocketAddr>, String> {
        let addresses = resolver.resolve(name.parse().unwrap()).await;
        addresses.map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_points_inside_is_blocked() {
        let guarded = Resolver::new(Some(Arc::new(Guard::new(&[]))));
        let error = resolved(&guarded, "localhost").await.unwrap_err();
        assert!(error.starts_with("the address of localhost is blocked"), "{error}");

        let opened = Guard::new(&["127.0.0.0/8".parse().unwrap()]);
        let addresses =
            resolved(&Resolver::new(Some(Arc::new(opened))), "localhost").await.unwrap();
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.is_ipv4()));
    }

    #[tokio::test]
    async fn without_a_guard_every_address_comes_out() {
        assert!(!resolved(&Resolver::new(None), "localhost").await.unwrap().is_empty());
        assert!(resolved(&Resolver::new(None), "no-such-name.invalid").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_for_many_connections() {
        let resolver = Resolver::new(None);
        let (first, second) = (resolver.lookup("localhost"), resolver.lookup("localhost"));
        assert!(first.ptr_eq(&second));
        tokio::time::advance(Resolver::AGE).await;
        assert!(!resolver.lookup("localhost").ptr_eq(&first));
        assert_eq!(resolver.lookups.lock().unwrap().len(), 1);
    }
}
