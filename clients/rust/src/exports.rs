//! Orders in files.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::call::Call;
use crate::client::{Client, IDEMPOTENCY_KEY, present};
use crate::error::Error;
use crate::key::IdempotencyKey;
use crate::listing::ListQuery;
use crate::model::{Export, ExportFormat, ExportStatus};

/// The first and the longest pause before an export is asked after again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// What is sent to have orders exported.
#[derive(Serialize)]
struct CreateExport {
    format: ExportFormat,
    filters: BTreeMap<&'static str, String>,
}

impl Client {
    /// `POST /exports` under a key of this call's own: has the orders of a list written to a file. The query's limit is of
    /// no use here.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn create_export(&self, format: ExportFormat, orders: impl Into<ListQuery>) -> Result<Export, Error> {
        self.create_export_as(IdempotencyKey::random(), format, orders).await
    }

    /// `POST /exports` under this key. The same key and request again answer the export as it is then.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn create_export_as(
        &self,
        key: impl Into<IdempotencyKey>,
        format: ExportFormat,
        orders: impl Into<ListQuery>,
    ) -> Result<Export, Error> {
        let key = key.into();
        let mut filters: BTreeMap<_, _> = orders.into().pairs(None)?.into_iter().collect();
        filters.remove("limit");
        let call = Call::write(Method::POST, "/exports", &["exports"]).header(IDEMPOTENCY_KEY, key.as_str())?;
        let call = call.json(&CreateExport { format, filters })?;
        let sent = self.send(&call).await;
        sent.and_then(|success| present(success.value)).map_err(|error| error.with_key(key))
    }

    /// `GET /exports/{export_id}`
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn export(&self, id: Uuid) -> Result<Export, Error> {
        let call = Call::get("/exports/{export_id}", &["exports", &id.to_string()]);
        present(self.send(&call).await?.value)
    }

    /// `GET /exports/{export_id}`, again and again until the export is no longer `running`, or for so long. Pauses grow to
    /// five seconds.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn finished_export(&self, id: Uuid, within: Duration) -> Result<Export, Error> {
        let (deadline, mut pause) = (Instant::now() + within, PAUSES.0);
        loop {
            let export = self.export(id).await?;
            if export.status != ExportStatus::Running || Instant::now() + pause > deadline {
                return Ok(export);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}
