//! Exports: what a request asks for, and how far they have come.

use domain::caller::Caller;
use domain::id::ExportId;
use domain::ports::Clock;
use domain::use_cases::{CreatedExport, ExportRequest, ShownExport};
use lambda_http::http::StatusCode;
use lambda_http::http::header::{HeaderName, LOCATION, RETRY_AFTER};

use super::{ApiRequest, Reply};
use crate::problem::{Code, Problem};
use crate::telemetry::{self, metrics};
use crate::wire::{CreateExport, ExportView};

/// How long a client should wait before it asks after a new export, in seconds.
const RETRY_AFTER_SECONDS: &str = "2";

impl ApiRequest {
    /// The export that the body asks for.
    ///
    /// # Errors
    /// As [`ApiRequest::idempotency_key`] and [`ApiRequest::json`].
    pub fn export_request(&self, caller: Caller, clock: &impl Clock) -> Result<ExportRequest, Problem> {
        let key = self.idempotency_key()?;
        let (format, orders) = self.json::<CreateExport>()?.into_request()?;
        Ok(ExportRequest { caller, key, format, orders, at: clock.now() })
    }

    /// The id of an export in the path.
    ///
    /// # Errors
    /// [`Code::ExportNotFound`]: what is not an id names no export.
    pub fn export_id(&self) -> Result<ExportId, Problem> {
        let id = self.path_parameter("export_id").unwrap_or_default();
        ExportId::parse(id).map_err(|_| Problem::new(Code::ExportNotFound))
    }
}

impl Reply {
    /// 202 with the export and its `Location`.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn created_export(created: CreatedExport, clock: &impl Clock) -> Result<Self, Problem> {
        let CreatedExport { export, replayed } = created;
        telemetry::member("export_id", export.id.to_string());
        let location = format!("/v1/exports/{}", export.id);
        // A link is for who asks after the export.
        let shown = ShownExport { status: export.status(clock.now()), export, download: None };
        let reply = Self::json(StatusCode::ACCEPTED, &ExportView::from(&shown))?
            .header(LOCATION, &location)
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS);
        if !replayed {
            return Ok(reply);
        }
        telemetry::count(&metrics::REPLAYED_KEYS, 1);
        Ok(reply.header(HeaderName::from_static("idempotent-replayed"), "true"))
    }

    /// 200 with the export.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn export(shown: &ShownExport) -> Result<Self, Problem> {
        telemetry::member("export_id", shown.export.id.to_string());
        Self::ok(&ExportView::from(shown))
    }
}
