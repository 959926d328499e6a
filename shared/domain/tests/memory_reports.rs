//! Reports in memory keep the contract of report stores.

#![allow(missing_docs, reason = "tests")]

domain::report_store_contract!(async { domain::memory::MemoryReports::default() });
