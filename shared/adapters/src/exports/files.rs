//! The files of exports: multipart uploads to one bucket (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>).

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use domain::export::{Export, Format, Upload};
use domain::ports::{ExportFiles, FileError};

use crate::config::{self, ConfigError};

/// How long a part may take, and one with its retries: 8 MiB take half a second where a function has 512 MB.
const PART: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(40));

/// How often a part is tried: an outage of seconds is no failed step.
const ATTEMPTS: u32 = 6;

/// How long it may take to make a file of many parts, which S3 does while the caller waits.
const COMPLETION: Duration = Duration::from_secs(180);

/// The bucket of the exports.
#[derive(Debug, Clone)]
pub struct ExportBucket {
    client: Client,
    bucket: String,
}

impl ExportBucket {
    /// The bucket named by `EXPORTS_BUCKET`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PART.0).operation_timeout(PART.1).build();
        let config = Builder::from(aws)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            // S3 itself checks what it stores; the tag of a part is its digest.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            // The emulator has no name for each bucket.
            .force_path_style(aws.endpoint_url().is_some());
        Ok(Self::new(Client::from_conf(config.build()), config::required("EXPORTS_BUCKET")?))
    }

    /// This bucket.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Whether the file of the export is there.
    async fn is_there(&self, export: &Export) -> Result<bool, FileError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key(export));
        match Box::pin(head.send()).await {
            Ok(_) => Ok(true),
            // 403: S3 tells whether there is one only to those who may list the bucket.
            Err(error) if matches!(status(&error), Some(403 | 404)) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

impl ExportFiles for ExportBucket {
    async fn begin(&self, export: &Export) -> Result<String, FileError> {
        let (media_type, end) = match export.format {
            Format::JsonLines => ("application/jsonl", Format::JsonLines.as_str()),
            Format::Csv => ("text/csv; charset=utf-8", Format::Csv.as_str()),
        };
        let call = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key(export))
            .content_type(media_type)
            .content_disposition(format!("attachment; filename=\"orders-{}.{end}\"", export.id))
            .cache_control("private, no-store");
        let begun = Box::pin(call.send()).await.map_err(|error| unavailable(&error))?;
        begun.upload_id.ok_or_else(|| FileError::Unavailable("S3 named no upload".to_owned()))
    }

    async fn put_part(&self, export: &Export, upload: &Upload, bytes: Vec<u8>) -> Result<String, FileError> {
        let call = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key(export))
            .upload_id(&upload.id)
            .part_number(number(upload.parts.len()))
            .body(bytes.into());
        let put = Box::pin(call.send()).await.map_err(|error| lost_or_unavailable(&error))?;
        put.e_tag.ok_or_else(|| FileError::Unavailable("S3 gave a part no tag".to_owned()))
    }

    async fn complete(&self, export: &Export, upload: &Upload) -> Result<(), FileError> {
        let part =
            |(index, tag): (usize, &String)| CompletedPart::builder().part_number(number(index)).e_tag(tag).build();
        let parts = upload.parts.iter().enumerate().map(part).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.client.complete_multipart_upload().bucket(&self.bucket).key(key(export));
        let call = call.upload_id(&upload.id).multipart_upload(parts);
        // One attempt: the next turn is the second.
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(COMPLETION).operation_timeout(COMPLETION);
        let config = Builder::new().timeout_config(timeouts.build()).retry_config(RetryConfig::disabled());
        match Box::pin(call.customize().config_override(config).send()).await {
            Ok(_) => Ok(()),
            Err(error) => match lost_or_unavailable(&error) {
                FileError::Lost(why) if is_gone(&error) => {
                    if self.is_there(export).await? {
                        Ok(())
                    } else {
                        Err(FileError::Lost(why))
                    }
                }
                error => Err(error),
            },
        }
    }

    async fn link(&self, export: &Export, valid: Duration) -> Result<String, FileError> {
        let valid = PresigningConfig::expires_in(valid).map_err(|error| FileError::Unavailable(error.to_string()))?;
        let get = self.client.get_object().bucket(&self.bucket).key(key(export));
        let link = Box::pin(get.presigned(valid)).await.map_err(|error| unavailable(&error))?;
        Ok(link.uri().to_owned())
    }
}

/// Where the file of an export is. The time tells apart exports that had one id after the other.
fn key(export: &Export) -> String {
    format!("{}/{}/{}", export.tenant, export.id, export.created_at.as_millis())
}

/// S3 counts parts from 1.
fn number(index: usize) -> i32 {
    i32::try_from(index + 1).unwrap_or(i32::MAX)
}

fn is_gone<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("NoSuchUpload")
}

fn status<E>(error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn lost_or_unavailable<E, R>(error: &SdkError<E, R>) -> FileError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("NoSuchUpload" | "InvalidPart" | "InvalidPartOrder") => {
            FileError::Lost(DisplayErrorContext(error).to_string())
        }
        _ => unavailable(error),
    }
}

fn unavailable<E, R>(error: &SdkError<E, R>) -> FileError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    FileError::Unavailable(DisplayErrorContext(error).to_string())
}
