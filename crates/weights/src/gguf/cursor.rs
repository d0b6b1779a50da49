//! Reading a header field by field, from a prefix of the file.

use crate::WeightsError;

/// Why reading a header stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The prefix ends, but the file goes on.
    NeedMore,
    /// The file is wrong.
    Bad(Box<WeightsError>),
}

impl From<WeightsError> for Stop {
    fn from(error: WeightsError) -> Stop {
        Stop::Bad(Box::new(error))
    }
}

/// A place in the prefix of a file.
pub(super) struct Cursor<'a> {
    file: &'a str,
    prefix: &'a [u8],
    at: usize,
    file_len_bytes: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a str, prefix: &'a [u8], file_len_bytes: u64) -> Cursor<'a> {
        Cursor { file, prefix, at: 0, file_len_bytes: file_len_bytes.max(prefix.len() as u64) }
    }

    pub(super) fn file(&self) -> &'a str {
        self.file
    }

    pub(super) fn file_len_bytes(&self) -> u64 {
        self.file_len_bytes
    }

    pub(super) fn position(&self) -> u64 {
        self.at as u64
    }

    /// Bytes of the file from here on.
    fn remaining(&self) -> u64 {
        self.file_len_bytes.saturating_sub(self.position())
    }

    /// An error about this file.
    pub(super) fn bad(&self, error: impl FnOnce(String) -> WeightsError) -> Stop {
        error(self.file.to_owned()).into()
    }

    /// The next `needed` bytes; `what` they are, for the message.
    pub(super) fn bytes(&mut self, needed: u64, what: &str) -> Result<&'a [u8], Stop> {
        if needed > self.remaining() {
            let (offset, file_len_bytes) = (self.position(), self.file_len_bytes);
            return Err(self.bad(|file| WeightsError::Truncated { file, what: what.to_owned(), offset, needed, file_len_bytes }));
        }
        let end = usize::try_from(needed).ok().and_then(|n| self.at.checked_add(n)).ok_or(Stop::NeedMore)?;
        let bytes = self.prefix.get(self.at..end).ok_or(Stop::NeedMore)?;
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        self.bytes(N as u64, what)?.try_into().map_err(|_| Stop::NeedMore)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Stop> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, Stop> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A number of things that take at least `least_bytes` each: refused at once if the rest of the file cannot hold them.
    pub(super) fn count(&mut self, what: &str, least_bytes: u64) -> Result<u64, Stop> {
        let count = self.u64(what)?;
        let most = self.remaining() / least_bytes;
        if count <= most {
            return Ok(count);
        }
        Err(self.bad(|file| WeightsError::Value {
            file,
            key: what.to_owned(),
            found: count.to_string(),
            expected: format!("at most {most}, which is what the rest of the file can hold"),
        }))
    }

    /// Text: its length in bytes as u64, then UTF-8.
    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, Stop> {
        let offset = self.position();
        let bytes = self.raw_text(what)?;
        std::str::from_utf8(bytes).map_err(|error| {
            self.bad(|file| WeightsError::Value {
                file,
                key: format!("{what} at byte {offset}"),
                found: format!("bytes that are no UTF-8 ({error})"),
                expected: "UTF-8".to_owned(),
            })
        })
    }

    /// Text whose bytes are not checked.
    pub(super) fn raw_text(&mut self, what: &str) -> Result<&'a [u8], Stop> {
        let len = self.u64(what)?;
        self.bytes(len, what)
    }

    /// A second cursor at the same place.
    pub(super) fn fork(&self) -> Cursor<'a> {
        Cursor { ..*self }
    }
}
