//! The audit trail in memory keeps the contract of audit trails.

use domain::memory::MemoryTrail;

domain::audit_trail_contract!(async { MemoryTrail::default() });
