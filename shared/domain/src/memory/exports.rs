//! Exports in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock;
use crate::export::Export;
use crate::id::{ExportId, TenantId};
use crate::ports::{ExportStore, StoreError, UpdateError};
use crate::timestamp::Timestamp;

/// Keeps exports in a map.
#[derive(Debug, Default)]
pub struct MemoryExports {
    exports: Mutex<BTreeMap<(TenantId, ExportId), Export>>,
}

impl ExportStore for MemoryExports {
    async fn insert(&self, export: &Export) -> Result<Option<Export>, StoreError> {
        let mut exports = lock(&self.exports);
        let key = (export.tenant.clone(), export.id);
        match exports.get(&key).filter(|existing| !existing.is_expired(export.created_at)) {
            Some(existing) => Ok(Some(existing.clone())),
            None => {
                exports.insert(key, export.clone());
                Ok(None)
            }
        }
    }

    async fn load(&self, tenant: &TenantId, id: ExportId) -> Result<Option<Export>, StoreError> {
        Ok(lock(&self.exports).get(&(tenant.clone(), id)).cloned())
    }

    async fn pause(&self, _: u32) {}

    async fn running(&self, tenant: &TenantId, since: Timestamp, most: usize) -> Result<usize, StoreError> {
        let exports = lock(&self.exports);
        let is_running = |export: &&Export| export.progress().is_some() && export.created_at >= since;
        let running = exports.values().filter(|export| export.tenant == *tenant).filter(is_running);
        Ok(running.take(most).count())
    }

    async fn replace(&self, export: &Export) -> Result<(), UpdateError> {
        let mut exports = lock(&self.exports);
        let stored = exports.get_mut(&(export.tenant.clone(), export.id));
        let stored = stored.filter(|stored| stored.revision + 1 == export.revision).ok_or(UpdateError::Conflict)?;
        *stored = export.clone();
        Ok(())
    }
}
