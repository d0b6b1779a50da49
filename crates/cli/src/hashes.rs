//! The SHA-256 of model files, kept beside them so that it is computed once and not at every start.

use crate::fetch;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Shorter files take a few hundredths of a second each time, and need no file beside them.
const KEPT_FROM_BYTES: u64 = 16 << 20;
/// A file that was changed so recently may be changed again without its time of change telling.
const SETTLED: Duration = Duration::from_secs(2);

/// What the SHA-256 was computed of.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Kept {
    len_bytes: u64,
    /// Nanoseconds since 1970.
    modified_ns: u64,
    sha256: String,
}

/// The SHA-256 of a file, in lower-case hexadecimal digits: what is kept beside it, if the file is as long and as old as it was
/// then.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    kept_sha256(path, KEPT_FROM_BYTES)
}

fn kept_sha256(path: &Path, kept_from_bytes: u64) -> Result<String> {
    let Some((len_bytes, modified_ns)) = state(path).filter(|(len_bytes, _)| *len_bytes >= kept_from_bytes) else {
        return fetch::sha256(path);
    };
    let beside = beside(path);
    let kept: Option<Kept> = std::fs::read(&beside).ok().and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(kept) = kept.filter(|kept| kept.len_bytes == len_bytes && kept.modified_ns == modified_ns)
        && kept.sha256.len() == 64
        && kept.sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Ok(kept.sha256);
    }
    let sha256 = fetch::sha256(path)?;
    if is_settled(modified_ns) && state(path) == Some((len_bytes, modified_ns)) {
        let kept = Kept { len_bytes, modified_ns, sha256: sha256.clone() };
        // Where nothing can be written, it is computed every time.
        if let Ok(text) = serde_json::to_vec(&kept) {
            let _ = std::fs::write(beside, text);
        }
    }
    Ok(sha256)
}

/// `.model.gguf.atman-sha256` beside `model.gguf`.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".atman-sha256");
    path.with_file_name(name)
}

/// Length in bytes and time of change; `None` where the file system tells no time.
fn state(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((metadata.len(), u64::try_from(modified.as_nanos()).ok()?))
}

fn is_settled(modified_ns: u64) -> bool {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_nanos(modified_ns);
    SystemTime::now().duration_since(modified).is_ok_and(|age| age >= SETTLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// printf abc | sha256sum
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn age(path: &Path, seconds: u64) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn it_is_computed_once_and_again_when_the_file_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.gguf");
        std::fs::write(&path, "abc").unwrap();
        age(&path, 60);
        assert_eq!(kept_sha256(&path, 0).unwrap(), ABC);
        // What is kept is believed: here something else was put there.
        let other = "0".repeat(64);
        let kept = std::fs::read_to_string(beside(&path)).unwrap().replace(ABC, &other);
        std::fs::write(beside(&path), kept).unwrap();
        assert_eq!(kept_sha256(&path, 0).unwrap(), other);
        age(&path, 50);
        assert_eq!(kept_sha256(&path, 0).unwrap(), ABC);
        // And again where it is no hash, or nothing that can be read.
        for damaged in ["{}", "", "\u{0}"] {
            std::fs::write(beside(&path), damaged).unwrap();
            assert_eq!(kept_sha256(&path, 0).unwrap(), ABC);
        }
    }

    #[test]
    fn of_a_file_that_may_still_be_changing_or_is_short_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.gguf");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(kept_sha256(&path, 0).unwrap(), ABC);
        assert!(!beside(&path).exists());
        // Nor of one that takes no time.
        age(&path, 60);
        assert_eq!(sha256(&path).unwrap(), ABC);
        assert!(!beside(&path).exists());
    }
}
