//! PNG files: pieces with a checksum each, the last of which says so (PNG, third edition, 5).

/// Goes through all pieces of a file. What follows the last one does not matter.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    // After the signature.
    let mut rest = bytes.get(8..).unwrap_or_default();
    loop {
        let Some((len, after)) = rest.split_first_chunk::<4>() else {
            return Err("it ends before its last piece (IEND)".to_owned());
        };
        let len = u32::from_be_bytes(*len) as usize;
        let ends = || "it ends within a piece".to_owned();
        let (named, after) = len.checked_add(4).and_then(|len| after.split_at_checked(len)).ok_or_else(ends)?;
        let (stated, after) = after.split_first_chunk::<4>().ok_or_else(ends)?;
        if crc32fast::hash(named) != u32::from_be_bytes(*stated) {
            let name = named.get(..4).unwrap_or_default().escape_ascii();
            return Err(format!("the checksum of its piece {name} is another than that of what is there"));
        }
        if named.starts_with(b"IEND") {
            return Ok(());
        }
        rest = after;
    }
}
