//! WebP files: pieces within one, each of a stated length (RFC 9649, 2.3 to 2.7).

/// Goes through all pieces of a file, those of further pictures of an animation among them. What follows does not matter.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let size =
        |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|size| u32::from_le_bytes(*size) as usize);
    let ends = |what: &str| format!("it ends within {what}");
    let all = size(4).and_then(|size| size.checked_add(8)).ok_or_else(|| ends("its header"))?;
    if all > bytes.len() {
        return Err(format!("it has {} bytes of the {all} that it should have", bytes.len()));
    }
    let mut at = 12_usize;
    while at < all {
        let len = at.checked_add(4).and_then(size).ok_or_else(|| ends("a piece"))?;
        let end = at.checked_add(8).and_then(|start| start.checked_add(len)).ok_or_else(|| ends("a piece"))?;
        if end > all {
            return Err(ends("a piece"));
        }
        // A byte makes odd lengths even.
        at = end + len % 2;
    }
    Ok(())
}
