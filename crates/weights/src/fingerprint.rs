//! Whether a file is what it should be, and which model its files are: by SHA-256.

use crate::is_system_file;
use crate::text::hex;
use sha2::{Digest, Sha256};

/// The SHA-256 that names a model, from those of its files by name: of a single file or of the one GGUF file its own; of
/// several files that of the hashes of its JSON and safetensors files, in the order of their names. All in lower-case
/// hexadecimal digits. What operating systems leave beside them does not count.
pub fn model_sha256(mut files: Vec<(String, String)>) -> String {
    files.retain(|(name, _)| !is_system_file(name));
    let is = |name: &str, kind: &str| name.rsplit_once('.').is_some_and(|(_, end)| end == kind);
    if files.iter().all(|(name, _)| !is(name, "safetensors")) {
        files.sort_by_key(|(name, _)| !is(name, "gguf"));
        files.truncate(1);
    }
    if let [(_, hash)] = &files[..] {
        return hash.clone();
    }
    files.retain(|(name, _)| is(name, "safetensors") || is(name, "json"));
    files.sort();
    let hashes: Vec<String> = files.into_iter().map(|(_, hash)| hash).collect();
    hex(&Sha256::digest(hashes.concat()))
}

/// How content differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another length, in bytes.
    #[error("it has {found} bytes, expected {expected}")]
    Length {
        /// Bytes that there are.
        found: u64,
        /// Bytes that there should be.
        expected: u64,
    },
    /// Another SHA-256.
    #[error("its SHA-256 is {found}, expected {expected}")]
    Hash {
        /// In lower-case hexadecimal digits.
        found: String,
        /// In hexadecimal digits.
        expected: String,
    },
}

/// Compares content with what is known of it; gives its SHA-256 in lower-case hexadecimal digits.
///
/// # Errors
/// When length or hash is known and another.
pub fn compare(
    len_bytes: u64,
    digest: Sha256,
    expected_len: Option<u64>,
    expected_sha256: Option<&str>,
) -> Result<String, Mismatch> {
    if let Some(expected) = expected_len.filter(|expected| *expected != len_bytes) {
        return Err(Mismatch::Length { found: len_bytes, expected });
    }
    let found = hex(&digest.finalize());
    match expected_sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => Err(Mismatch::Hash { found, expected: expected.to_owned() }),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_compared_with_what_is_known_of_it() {
        // printf abc | sha256sum
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of = |len, sha256: Option<&str>| compare(3, Sha256::new_with_prefix("abc"), len, sha256);
        assert_eq!(of(None, None), Ok(abc.to_owned()));
        assert_eq!(of(Some(3), Some(&abc.to_uppercase())), Ok(abc.to_owned()));
        assert_eq!(of(Some(4), Some(abc)), Err(Mismatch::Length { found: 3, expected: 4 }));
        let wrong = Mismatch::Hash { found: abc.to_owned(), expected: "00".to_owned() };
        assert_eq!(of(None, Some("00")), Err(wrong.clone()));
        assert!(wrong.to_string().contains("expected 00"));
    }

    fn of(files: &[(&str, &str)]) -> String {
        model_sha256(files.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect())
    }

    #[test]
    fn one_file_has_its_own_hash_and_several_one_of_theirs_in_any_order() {
        assert_eq!(of(&[("m.gguf", "aa")]), "aa");
        assert_eq!(of(&[("README.md", "bb"), ("m.gguf", "aa")]), "aa");
        assert_eq!(of(&[("m.safetensors", "aa")]), "aa");
        assert_eq!(of(&[("._m.gguf", "bb"), ("m.gguf", "aa")]), "aa");
        // printf aabb | sha256sum
        let both = "486b34250bd4400c0aa90516fce9a9c0633a922eb40d0828cf299bc4e825acf4";
        let one = of(&[("config.json", "aa"), ("m.safetensors", "bb")]);
        assert_eq!(one, of(&[("m.safetensors", "bb"), ("chat_template.jinja", "cc"), ("config.json", "aa")]));
        assert_eq!(one, both);
    }
}
