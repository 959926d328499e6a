//! The DynamoDB store keeps the contract of stores, on a DynamoDB engine within the test process.

#![allow(clippy::unwrap_used, reason = "an engine that cannot start must fail the test")]

mod engine;

domain::order_store_contract!(engine::store());
