//! Tells apart what DynamoDB refused from what it may have done.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use domain::ports::StoreError;

/// Only an answer proves that nothing was written; silence proves nothing.
pub(crate) fn store_error<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let kind = match &error {
        SdkError::ConstructionFailure(_) => StoreError::Rejected,
        SdkError::ServiceError(service) => match service.err().code() {
            Some(
                "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ThrottlingException"
                | "LimitExceededException",
            ) => StoreError::Throttled,
            Some("InternalServerError" | "ServiceUnavailable") | None => StoreError::Unavailable,
            Some(_) => StoreError::Rejected,
        },
        _ => StoreError::Unavailable,
    };
    kind(DisplayErrorContext(&error).to_string())
}
