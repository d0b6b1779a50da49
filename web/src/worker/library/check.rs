//! Whether a file is what it should be.

use super::blob::BlobSource;
use super::progress::Progress;
use crate::messages::LoadPhase;
use anyhow::Result;
use sha2::{Digest, Sha256};
use weights::{ByteSource, Mismatch};

/// What is known of a file's content before it is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) len_bytes: Option<u64>,
    /// Hexadecimal digits.
    pub(super) sha256: Option<String>,
}

impl Expected {
    /// Compares; gives the SHA-256 in lower-case hexadecimal digits.
    pub(super) fn compare(&self, len_bytes: u64, digest: Sha256) -> Result<String, Mismatch> {
        weights::compare(len_bytes, digest, self.len_bytes, self.sha256.as_deref())
    }
}

/// The hash state after all of a source's bytes.
pub(super) async fn digest(source: &BlobSource, progress: &mut Progress<'_>) -> Result<Sha256> {
    let mut digest = Sha256::new();
    let mut visit = |bytes: &[u8]| {
        digest.update(bytes);
        progress.add(LoadPhase::Checking, bytes.len() as u64);
    };
    source.visit(&mut visit).await?;
    Ok(digest)
}

/// Reads a source whole and compares it.
pub(super) async fn check(
    source: &BlobSource,
    expected: &Expected,
    progress: &mut Progress<'_>,
) -> Result<Result<String, Mismatch>> {
    let len_bytes = source.len_bytes();
    if let Some(expected) = expected.len_bytes.filter(|expected| *expected != len_bytes) {
        return Ok(Err(Mismatch::Length { found: len_bytes, expected }));
    }
    Ok(expected.compare(len_bytes, digest(source, progress).await?))
}
