//! Exports that wait for a turn, as the stream of their table names them.

use aws_lambda_events::dynamodb::Event;
use domain::export::{Export, State};
use domain::ports::{Clock, ExportFiles, ExportRows, ExportStore, OrderStore, StoreError};
use domain::timestamp::Timestamp;
use domain::use_cases::{Turn, WriteExport, WriteExportError};

use super::item;
use crate::telemetry::{self, metrics};

/// Gives each export of a batch its turn, until `until`. Who is at work on it already, or finds it over, does nothing. One
/// that fails, or cannot be read, holds up no other.
///
/// # Errors
/// [`WriteExportError`] when an export could not be read or saved: the batch should be retried. Exports that had their turn lose nothing by it.
pub async fn take_turns<S, E, F, R, K>(
    writing: &WriteExport<S, E, F, R, K>,
    event: Event,
    until: Timestamp,
) -> Result<(), WriteExportError>
where
    S: OrderStore,
    E: ExportStore,
    F: ExportFiles,
    R: ExportRows,
    K: Clock,
{
    for record in event.records {
        let key =
            record.change.keys.get(item::KEY).and_then(|key| serde_dynamo::from_attribute_value(key.clone()).ok());
        let Some((tenant, id)) = key.and_then(|key: String| item::parse_key(&key)) else {
            telemetry::failed("a record of the exports names none");
            continue;
        };
        match writing.run(&tenant, id, until).await {
            Ok(turn) => note(&turn),
            // It cannot be read later either.
            Err(error @ WriteExportError::Store(StoreError::Corrupt(_))) => telemetry::failed(&error),
            Err(error) => {
                telemetry::failed(&error);
                return Err(error);
            }
        }
    }
    Ok(())
}

fn note(turn: &Turn) {
    match turn {
        Turn::Idle | Turn::Overtaken => {}
        Turn::HandedOver(export) | Turn::Over(export) => tell(export),
        Turn::Halted(export, error) => {
            telemetry::failed(error);
            tell(export);
        }
    }
}

/// Says in the line which export it is about, and counts one that is over.
fn tell(export: &Export) {
    telemetry::count(&metrics::EXPORT_TURNS, 1);
    telemetry::member("tenant", export.tenant.as_str());
    telemetry::member("export_id", export.id.to_string());
    telemetry::member("orders", export.written.orders);
    match export.state {
        State::Running(_) => {}
        State::Succeeded | State::Failed => {
            let has_succeeded = export.state == State::Succeeded;
            telemetry::count(if has_succeeded { &metrics::EXPORTS_WRITTEN } else { &metrics::EXPORTS_FAILED }, 1);
            for (metric, count) in [
                (&metrics::ORDERS_EXPORTED, export.written.orders),
                (&metrics::ORDERS_UNEXPORTED, export.written.unreadable),
            ] {
                telemetry::count(metric, usize::try_from(count).unwrap_or(usize::MAX));
            }
        }
    }
}
