//! Whether a file is what it should be.

use crate::progress::Progress;
use crate::text;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use weights::Mismatch;

/// What a file must be.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) len_bytes: u64,
    /// 64 lower-case hexadecimal digits, where known.
    pub(crate) sha256: Option<String>,
}

impl Expected {
    /// Compares what was read with what was expected.
    pub(crate) fn compare(&self, len_bytes: u64, digest: Sha256) -> Result<(), Mismatch> {
        weights::compare(len_bytes, digest, Some(self.len_bytes), self.sha256.as_deref()).map(drop)
    }

    /// Reads a file that is there and compares it. `Ok(None)` if there is none.
    pub(crate) fn check(&self, path: &Path) -> Result<Option<Result<(), Mismatch>>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
        };
        let reading = || format!("cannot read {}", path.display());
        let len_bytes = file.metadata().with_context(reading)?.len();
        if len_bytes != self.len_bytes || self.sha256.is_none() {
            return Ok(Some(self.compare(len_bytes, Sha256::new())));
        }
        let mut progress = Progress::only_in_terminal("verifying", len_bytes);
        let mut digest = Sha256::new();
        hash_into(&mut file, &mut digest, |bytes| progress.add(bytes)).with_context(reading)?;
        Ok(Some(self.compare(len_bytes, digest)))
    }
}

/// The SHA-256 of a file, in lower-case hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let reading = || format!("cannot read {}", path.display());
    let mut digest = Sha256::new();
    hash_into(&mut File::open(path).with_context(reading)?, &mut digest, |_| {}).with_context(reading)?;
    Ok(text::hex(&digest.finalize()))
}

/// The SHA-256 of some bytes, in lower-case hexadecimal digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    text::hex(&Sha256::digest(bytes))
}

/// Feeds all of `reader` to `digest`; returns its length and tells each piece's.
pub(crate) fn hash_into(reader: &mut impl Read, digest: &mut Sha256, mut tell: impl FnMut(u64)) -> std::io::Result<u64> {
    let mut piece = vec![0; 1 << 18];
    let mut total = 0_u64;
    loop {
        let n = match reader.read(&mut piece) {
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(piece.get(..n).unwrap_or_default());
        total = total.saturating_add(n as u64);
        tell(n as u64);
    }
}
