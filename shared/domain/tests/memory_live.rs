//! Subscriptions in memory keep the contract of tables of subscriptions.

#![allow(missing_docs, reason = "tests")]

domain::subscriptions_contract!(async { domain::memory::MemorySubscriptions::default() });
