//! The DynamoDB store keeps the contract of stores, on a DynamoDB engine within the test process.

mod engine;

domain::order_store_contract!(engine::store());
