//! Files of exports in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::lock;
use crate::export::{Export, Upload};
use crate::ports::{ExportFiles, FileError};

/// Keeps files in a map.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    begun: usize,
    /// The parts of each upload, by their numbers from 1.
    uploads: BTreeMap<String, BTreeMap<usize, Vec<u8>>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// The file of this export.
    #[must_use]
    pub fn file(&self, export: &Export) -> Option<Vec<u8>> {
        lock(&self.state).files.get(&name(export)).cloned()
    }

    /// Forgets every upload that is not completed.
    pub fn lose_uploads(&self) {
        lock(&self.state).uploads.clear();
    }
}

impl ExportFiles for MemoryFiles {
    const LEAST_PART: usize = 1;

    async fn begin(&self, _export: &Export) -> Result<String, FileError> {
        let mut state = lock(&self.state);
        state.begun += 1;
        let upload = format!("upload-{}", state.begun);
        state.uploads.insert(upload.clone(), BTreeMap::new());
        Ok(upload)
    }

    async fn put_part(&self, _export: &Export, upload: &Upload, bytes: Vec<u8>) -> Result<String, FileError> {
        let mut state = lock(&self.state);
        let parts = state.uploads.get_mut(&upload.id).ok_or_else(|| lost("there is no such upload"))?;
        let tag = tag(&bytes);
        parts.insert(upload.parts.len() + 1, bytes);
        Ok(tag)
    }

    async fn complete(&self, export: &Export, upload: &Upload) -> Result<(), FileError> {
        let mut state = lock(&self.state);
        let Some(parts) = state.uploads.get(&upload.id) else {
            let is_there = state.files.contains_key(&name(export));
            return if is_there { Ok(()) } else { Err(lost("there is neither an upload nor a file")) };
        };
        let mut file = Vec::new();
        for (number, wanted) in (1..).zip(&upload.parts) {
            let part = parts.get(&number).filter(|part| tag(part) == *wanted);
            file.extend_from_slice(part.ok_or_else(|| lost("a part is another"))?);
        }
        state.uploads.remove(&upload.id);
        state.files.insert(name(export), file);
        Ok(())
    }

    async fn link(&self, export: &Export, valid: Duration) -> Result<String, FileError> {
        Ok(format!("https://files.example/{}?seconds={}", name(export), valid.as_secs()))
    }
}

fn name(export: &Export) -> String {
    format!("{}/{}/{}", export.tenant, export.id, export.created_at.as_millis())
}

fn tag(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lost(why: &str) -> FileError {
    FileError::Lost(why.to_owned())
}
