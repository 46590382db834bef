use std::{collections::HashMap, sync::Arc};

use actionfleet_proto::definition::DefinitionKind;
use actionfleet_store::DEFAULT_TENANT;

use super::{Catalog, catalog::Item};

/// One consistent state of all definitions, by tenant.
#[derive(Debug)]
pub struct Catalogs {
    shared: Arc<Catalog>,
    tenants: HashMap<String, Arc<Catalog>>,
    /// Of the store's catalog; 0 where definitions are files.
    revision: u64,
}

/// Of one tenant.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub(super) items: Vec<Item>,
    /// By kind and identifier, those that cannot be used.
    pub(super) broken: Vec<(DefinitionKind, String)>,
}

impl Catalogs {
    /// The same for all tenants.
    pub(super) fn of_all(items: impl IntoIterator<Item = Item>) -> Self {
        let shared = Arc::new(Catalog::shared(items));
        Self { shared, tenants: HashMap::new(), revision: 0 }
    }

    /// Those of the default tenant are there for all.
    pub(super) fn by_tenant(mut tenants: HashMap<String, Definitions>, revision: u64) -> Self {
        let Definitions { items, broken } = tenants.remove(DEFAULT_TENANT).unwrap_or_default();
        let shared = Arc::new(Catalog::shared(items).without(broken));
        let own = |Definitions { items, broken }| {
            Arc::new(Catalog::over(Arc::clone(&shared), items).without(broken))
        };
        let tenants = tenants.into_iter().map(|(tenant, items)| (tenant, own(items))).collect();
        Self { shared, tenants, revision }
    }

    /// What the jobs of a tenant can name.
    pub fn of(&self, tenant: &str) -> &Arc<Catalog> {
        self.tenants.get(tenant).unwrap_or(&self.shared)
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many definitions of the kind there are, with the built-in ones.
    pub(super) fn count(&self, kind: DefinitionKind) -> usize {
        let own: usize = self.tenants.values().map(|catalog| catalog.count(kind)).sum();
        self.shared.count(kind) + own
    }
}

impl Default for Catalogs {
    fn default() -> Self {
        Self::of_all([])
    }
}
