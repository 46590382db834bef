use actionfleet_store::{Catalog, Changed, StoreError, Write};

use super::plan::{Change, Plan};

/// Makes all of a plan's changes at one moment. Makes none, and yields false, where somebody has
/// changed the catalog since: then it wants another plan.
pub async fn carry_out(catalog: &dyn Catalog, plan: Plan) -> Result<bool, StoreError> {
    if plan.changes.is_empty() {
        return Ok(true);
    }
    let writes = plan.changes.into_iter().map(|change| match change {
        Change::Create(entry) | Change::Update { after: entry, .. } => Write::Put(entry),
        Change::Delete(entry) => Write::Delete(entry.key),
    });
    let changed = catalog.change(writes.collect(), Some(plan.revision)).await?;
    Ok(changed != Changed::Overtaken)
}
