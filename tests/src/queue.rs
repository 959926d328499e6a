//! An SQS queue of the stack under test.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;

use crate::{aws, setting};

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    url: String,
}

impl Queue {
    /// The queue whose URL this variable holds.
    #[must_use]
    pub fn named(variable: &str) -> Self {
        Self { url: setting(variable) }
    }

    /// Empties the queue.
    pub async fn purge(&self) {
        Client::new(&aws().await).purge_queue().queue_url(&self.url).send().await.expect("the queue is emptied");
    }

    /// Takes up to ten messages off the queue.
    pub async fn take(&self) -> Vec<String> {
        let client = Client::new(&aws().await);
        let received = client.receive_message().queue_url(&self.url).max_number_of_messages(10).send().await;
        let (mut bodies, mut receipts) = (Vec::new(), Vec::new());
        for (n, message) in received.expect("the queue answers").messages().iter().enumerate() {
            let receipt = message.receipt_handle().expect("a receipt");
            let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(receipt);
            receipts.push(entry.build().expect("an entry"));
            bodies.push(message.body().unwrap_or_default().to_owned());
        }
        if !receipts.is_empty() {
            let deletion = client.delete_message_batch().queue_url(&self.url).set_entries(Some(receipts));
            assert!(deletion.send().await.expect("the queue answers").failed().is_empty(), "messages stay");
        }
        bodies
    }
}
