use actionfleet_store::{Catalog, StoreError};

use super::plan::{Change, Plan};

/// Makes the changes, one after the other. Where one fails, those before it stand, and the rest of
/// them comes about by planning and carrying out again.
pub async fn carry_out(catalog: &dyn Catalog, plan: Plan) -> Result<(), StoreError> {
    for change in plan.changes {
        match change {
            Change::Create(entry) | Change::Update { after: entry, .. } => {
                catalog.put(entry).await?;
            }
            Change::Delete(entry) => {
                catalog.delete(&entry.key).await?;
            }
        }
    }
    Ok(())
}
