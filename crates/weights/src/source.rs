//! Where a file's bytes come from.

use crate::WeightsError;
use std::future::Future;
use std::io;
use std::pin::Pin;

/// The future of one read. Not `Send`: in a browser nothing is.
pub type Reading<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;

/// A file of known length that can be read anywhere: on a disk, in memory, behind HTTP, or picked in a browser.
pub trait ByteSource {
    /// Name for messages, such as a path or an address.
    fn name(&self) -> &str;

    /// Length in bytes.
    fn len_bytes(&self) -> u64;

    /// Fills `into` with the bytes from `offset` on; `UnexpectedEof` if there are not enough.
    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a>;
}

/// A file held in memory.
#[derive(Clone, Debug)]
pub struct MemorySource {
    name: String,
    bytes: Vec<u8>,
}

impl MemorySource {
    /// A file of that name and content.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> MemorySource {
        MemorySource { name: name.into(), bytes: bytes.into() }
    }

    fn copy(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(self.bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ByteSource for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        Box::pin(std::future::ready(self.copy(offset, into)))
    }
}

/// A file on a disk. Reads block, one at a time.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub struct FileSource {
    name: String,
    len_bytes: u64,
    file: std::sync::Mutex<std::fs::File>,
}

#[cfg(not(target_arch = "wasm32"))]
impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it cannot be opened or is no regular file.
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<FileSource, WeightsError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let open = || {
            let file = std::fs::File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_file() { Ok((file, metadata.len())) } else { Err(io::Error::other("not a regular file")) }
        };
        match open() {
            Ok((file, len_bytes)) => Ok(FileSource { name, len_bytes, file: std::sync::Mutex::new(file) }),
            Err(source) => Err(WeightsError::Io { file: name, offset: 0, len_bytes: 0, source }),
        }
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        use io::{Read, Seek};
        // A panic of another reader leaves nothing half done: each read seeks first.
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(io::SeekFrom::Start(offset))?;
        file.read_exact(into)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl ByteSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn read_at<'a>(&'a self, offset: u64, into: &'a mut [u8]) -> Reading<'a> {
        Box::pin(std::future::ready(self.read(offset, into)))
    }
}

/// Reads exactly `into`, with an error that names the file and the place.
pub(crate) async fn read_exact(source: &dyn ByteSource, offset: u64, into: &mut [u8]) -> Result<(), WeightsError> {
    let len_bytes = into.len() as u64;
    source.read_at(offset, into).await.map_err(|error| WeightsError::Io {
        file: source.name().to_owned(),
        offset,
        len_bytes,
        source: error,
    })
}

/// The whole of a file that must be no longer than `limit_bytes`.
pub(crate) async fn read_whole(source: &dyn ByteSource, what: &'static str, limit_bytes: u64) -> Result<Vec<u8>, WeightsError> {
    let found = source.len_bytes();
    let too_large = || WeightsError::TooLarge { file: source.name().to_owned(), what, found, limit_bytes };
    if found > limit_bytes {
        return Err(too_large());
    }
    let mut bytes = vec![0; usize::try_from(found).map_err(|_| too_large())?];
    read_exact(source, 0, &mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_past_the_end_is_an_error_that_names_file_and_place() {
        let source = MemorySource::new("four", [1, 2, 3, 4]);
        let mut two = [0; 2];
        pollster::block_on(read_exact(&source, 2, &mut two)).unwrap();
        assert_eq!(two, [3, 4]);
        for offset in [3, 5, u64::MAX] {
            let error = pollster::block_on(read_exact(&source, offset, &mut two)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("four: reading 2 bytes at {offset} failed")), "{error}");
        }
    }

    #[test]
    fn a_file_on_disk_reads_as_one_in_memory() {
        let path = std::env::temp_dir().join(format!("atman-source-{}", std::process::id()));
        std::fs::write(&path, [1, 2, 3, 4]).unwrap();
        let source = FileSource::open(&path).unwrap();
        let mut two = [0; 2];
        pollster::block_on(read_exact(&source, 1, &mut two)).unwrap();
        assert_eq!((two, source.len_bytes()), ([2, 3], 4));
        assert!(matches!(pollster::block_on(read_exact(&source, 3, &mut two)), Err(WeightsError::Io { offset: 3, .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(FileSource::open(&path), Err(WeightsError::Io { .. })));
        assert!(matches!(FileSource::open(std::env::temp_dir()), Err(WeightsError::Io { .. })));
    }

    #[test]
    fn a_whole_file_is_read_only_up_to_its_limit() {
        let source = MemorySource::new("five", [7; 5]);
        assert_eq!(pollster::block_on(read_whole(&source, "x", 5)).unwrap(), [7; 5]);
        let refused = pollster::block_on(read_whole(&source, "x", 4));
        assert!(matches!(refused, Err(WeightsError::TooLarge { found: 5, limit_bytes: 4, .. })));
    }
}
