//! One process at a time brings a file.

use crate::say;
use anyhow::{Context, Result};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Held while a file is being brought; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock of `target`. The empty lock file beside it stays: taking it away could
    /// let a waiting and a newly started process both believe they hold it.
    pub(crate) fn take(target: &Path) -> Result<Self> {
        let path = beside(target, "lock");
        let failed = || format!("cannot lock {}", path.display());
        let file = File::create(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                say::note(format_args!("another atman is fetching {}; waiting for it", target.display()));
                file.lock().with_context(failed)?;
            }
            // Some network file systems know no locks. Downloads are moved into place whole, so the worst is double work.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        Ok(Self { _file: file })
    }
}

/// `folder/name` → `folder/.name.kind`: hidden, and on the same file system, so that moving into place is atomic.
pub(crate) fn beside(target: &Path, kind: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{kind}"))
}
