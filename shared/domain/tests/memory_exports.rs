//! Exports and their files in memory keep the contracts of their ports.

#![allow(missing_docs, reason = "tests")]

mod exports {
    domain::export_store_contract!(async { domain::memory::MemoryExports::default() });
}

mod files {
    use domain::export::Export;
    use domain::memory::MemoryFiles;

    domain::export_files_contract!(async { MemoryFiles::default() }, async |files: &MemoryFiles, export: &Export| {
        files.file(export)
    });
}
