//! The contract of the files of exports.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use crate::export::{Export, Format, Upload};
use crate::memory::sample;
use crate::ports::{ExportFiles, FileError};

/// Declares one test per rule for the files that `$make` builds anew for each. `$read` reads a file back.
#[macro_export]
macro_rules! export_files_contract {
    ($make:expr, $read:expr) => {
        $crate::export_files_contract!(@tests $make, $read;
            a_file_is_its_parts_in_their_order
            a_part_that_is_uploaded_again_replaces_the_first
            a_file_may_be_empty
            completing_again_changes_nothing
            an_upload_that_is_lost_is_told
            files_of_two_exports_are_two
        );
    };
    (@tests $make:expr, $read:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let files = $make.await;
            $crate::contract::export_files::$rule(&files, $read).await;
        })+
    };
}

/// Bytes of a part that is not the last.
fn part<F: ExportFiles>(letter: u8) -> Vec<u8> {
    vec![letter; F::LEAST_PART]
}

async fn begun<F: ExportFiles>(files: &F, export: &Export) -> Upload {
    Upload { id: files.begin(export).await.expect("an upload"), parts: Vec::new() }
}

/// The upload with one part more.
async fn with<F: ExportFiles>(files: &F, export: &Export, mut upload: Upload, bytes: Vec<u8>) -> Upload {
    upload.parts.push(files.put_part(export, &upload, bytes).await.expect("a tag"));
    upload
}

/// Of several parts, the last a short one.
pub async fn a_file_is_its_parts_in_their_order<F: ExportFiles>(
    files: &F,
    read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>,
) {
    let export = sample::export(Format::Csv);
    let mut upload = begun(files, &export).await;
    for bytes in [part::<F>(b'b'), part::<F>(b'a'), b"end".to_vec()] {
        upload = with(files, &export, upload, bytes).await;
    }
    assert_eq!(read(files, &export).await, None);
    files.complete(&export, &upload).await.expect("a file");
    let expected = [part::<F>(b'b'), part::<F>(b'a'), b"end".to_vec()].concat();
    assert!(read(files, &export).await.as_ref() == Some(&expected), "the file is another");
}

/// A writer died before it noted the part.
pub async fn a_part_that_is_uploaded_again_replaces_the_first<F: ExportFiles>(
    files: &F,
    read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>,
) {
    let export = sample::export(Format::Csv);
    let upload = begun(files, &export).await;
    let unnoted = with(files, &export, upload.clone(), b"one".to_vec()).await;
    let noted = with(files, &export, upload, b"two".to_vec()).await;
    let complete = files.complete(&export, &unnoted).await;
    assert!(matches!(complete, Err(FileError::Lost(_))), "{complete:?}");
    files.complete(&export, &noted).await.expect("a file");
    assert_eq!(read(files, &export).await, Some(b"two".to_vec()));
}

/// As JSON Lines of no order are.
pub async fn a_file_may_be_empty<F: ExportFiles>(files: &F, read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>) {
    let export = sample::export(Format::JsonLines);
    let upload = begun(files, &export).await;
    let upload = with(files, &export, upload, Vec::new()).await;
    files.complete(&export, &upload).await.expect("a file");
    assert_eq!(read(files, &export).await, Some(Vec::new()));
}

/// A writer died before it saved that the file is there.
pub async fn completing_again_changes_nothing<F: ExportFiles>(
    files: &F,
    read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>,
) {
    let export = sample::export(Format::Csv);
    let upload = begun(files, &export).await;
    let upload = with(files, &export, upload, b"all".to_vec()).await;
    for _ in 0..3 {
        files.complete(&export, &upload).await.expect("a file");
        assert_eq!(read(files, &export).await, Some(b"all".to_vec()));
    }
    let late = files.put_part(&export, &upload, b"more".to_vec()).await;
    assert!(matches!(late, Err(FileError::Lost(_))), "{late:?}");
}

/// There is no such upload and no file.
pub async fn an_upload_that_is_lost_is_told<F: ExportFiles>(
    files: &F,
    _read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>,
) {
    let export = sample::export(Format::Csv);
    let lost =
        Upload { id: "no-such-upload".to_owned(), parts: vec!["\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned()] };
    let part = files.put_part(&export, &lost, b"x".to_vec()).await;
    assert!(matches!(part, Err(FileError::Lost(_))), "{part:?}");
    let complete = files.complete(&export, &lost).await;
    assert!(matches!(complete, Err(FileError::Lost(_))), "{complete:?}");
}

/// Also of one storefront, under one id, at different times.
pub async fn files_of_two_exports_are_two<F: ExportFiles>(
    files: &F,
    read: impl AsyncFn(&F, &Export) -> Option<Vec<u8>>,
) {
    let first = sample::export(Format::Csv);
    let second = Export { created_at: first.expires_at(), ..first.clone() };
    for (export, bytes) in [(&first, b"one".to_vec()), (&second, b"two".to_vec())] {
        let upload = begun(files, export).await;
        let upload = with(files, export, upload, bytes).await;
        files.complete(export, &upload).await.expect("a file");
    }
    assert_eq!((read(files, &first).await, read(files, &second).await), (Some(b"one".to_vec()), Some(b"two".to_vec())));
}
