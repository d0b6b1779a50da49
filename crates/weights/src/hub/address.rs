//! Where things lie on the hub.

use super::Repository;

/// The hub itself; mirrors have the same addresses below theirs.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// Where a repository says what it holds at its revision, sizes and hashes included.
pub fn listing_url(endpoint: &str, repository: &Repository) -> String {
    let Repository { owner, name, .. } = repository;
    format!("{endpoint}/api/models/{owner}/{name}/revision/{}?blobs=true", encode_revision(repository.revision()))
}

/// Where a file of the repository `id`, which is `owner/name`, can be downloaded.
pub fn file_url(endpoint: &str, id: &str, revision: &str, path: &str) -> String {
    format!("{endpoint}/{id}/resolve/{}/{}", encode_revision(revision), encode_path(path))
}

/// A path as part of an address: every byte but the unreserved ones and `/` becomes `%XX`.
pub fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A revision is one segment of an address, slashes and all.
fn encode_revision(revision: &str) -> String {
    encode_path(revision).replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_slashes_and_loses_what_an_address_gives_meaning() {
        assert_eq!(encode_path("q/a b#?%é.gguf"), "q/a%20b%23%3F%25%C3%A9.gguf");
    }

    #[test]
    fn a_revision_is_one_segment() {
        let repository = Repository::parse("o/n@refs/pr/1").unwrap();
        assert_eq!(listing_url("https://h", &repository), "https://h/api/models/o/n/revision/refs%2Fpr%2F1?blobs=true");
        assert_eq!(file_url("https://h", "o/n", "refs/pr/1", "q/a.gguf"), "https://h/o/n/resolve/refs%2Fpr%2F1/q/a.gguf");
    }
}
