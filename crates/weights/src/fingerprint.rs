//! Which model it was: one hash for all of its files.

use crate::text::hex;
use sha2::{Digest, Sha256};

/// The SHA-256 that names a model, from those of its files by name: of a single file or of the one GGUF file its own; of
/// several files that of the hashes of its JSON and safetensors files, in the order of their names. All in lower-case
/// hexadecimal digits.
pub fn model_sha256(mut files: Vec<(String, String)>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> String {
        model_sha256(files.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect())
    }

    #[test]
    fn one_file_has_its_own_hash_and_several_one_of_theirs_in_any_order() {
        assert_eq!(of(&[("m.gguf", "aa")]), "aa");
        assert_eq!(of(&[("README.md", "bb"), ("m.gguf", "aa")]), "aa");
        assert_eq!(of(&[("m.safetensors", "aa")]), "aa");
        // printf aabb | sha256sum
        let both = "486b34250bd4400c0aa90516fce9a9c0633a922eb40d0828cf299bc4e825acf4";
        let one = of(&[("config.json", "aa"), ("m.safetensors", "bb")]);
        assert_eq!(one, of(&[("m.safetensors", "bb"), ("chat_template.jinja", "cc"), ("config.json", "aa")]));
        assert_eq!(one, both);
    }
}
