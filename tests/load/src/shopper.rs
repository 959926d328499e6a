//! What one shopper does.

use std::time::Duration;

use order_service_client::{Client, Error, ListQuery, NewOrder};

use crate::figures::{Call, Figures};

/// How long somebody looks at an order before it is deleted.
const THINKING: Duration = Duration::from_secs(3);

/// Whoever shops.
pub struct Shopper {
    pub client: Client,
    pub order: NewOrder,
}

impl Shopper {
    /// Eight of ten place an order, read it and delete it; two read a page. A call that fails is noted, and ends it.
    pub async fn shop(&self, arrival: usize, figures: &Figures) {
        // What failed is in the figures.
        let _: Result<(), Error> = if arrival % 10 < 8 { self.order(figures).await } else { self.read(figures).await };
    }

    async fn order(&self, figures: &Figures) -> Result<(), Error> {
        let placed = figures.of(Call::Place, self.client.place_order(&self.order)).await?;
        figures.of(Call::Read, self.client.order(placed.order.id)).await?;
        tokio::time::sleep(THINKING).await;
        figures.of(Call::Delete, self.client.delete_order(placed.order.id)).await
    }

    async fn read(&self, figures: &Figures) -> Result<(), Error> {
        figures.of(Call::List, self.client.page(&ListQuery::default(), None)).await.map(drop)
    }
}
