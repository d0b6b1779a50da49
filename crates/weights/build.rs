//! Writes down what the files of the model that the programs bring along are, so that nobody has to when it is trained again:
//! their names, lengths and SHA-256 for the catalogue, and a macro that includes their bytes where a program wants them.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // Asked for when it runs: a build folder may outlive the checkout that this program was compiled in.
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let folder = package.join("../../models/atman-tiny");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    let folder = folder.canonicalize().map_err(|error| {
        io::Error::new(error.kind(), format!("{}, the folder of the built-in model, cannot be read: {error}", folder.display()))
    })?;
    let mut listed = String::new();
    let mut included = String::new();
    for path in model_files(&folder)? {
        let content = fs::read(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let sha256 = Sha256::digest(&content).iter().fold(String::new(), |mut hex, byte| {
            // Writing to a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        listed.push_str(&format!("CatalogueFile {{ name: {name:?}, len_bytes: {}, sha256: {sha256:?} }},\n", content.len()));
        included.push_str(&format!("({name:?}, ::core::include_bytes!({:?}).as_slice()),\n", path.display().to_string()));
    }
    let generated = format!(
        "/// The files of the built-in model.\nconst BUILT_IN_FILES: &[CatalogueFile] = &[\n{listed}];\n\n\
         /// The name and the bytes of each file of the built-in model, in the order of its catalogue entry: a slice of\n\
         /// `(&str, &[u8])`. The bytes become part of the crate that says this.\n\
         #[macro_export]\nmacro_rules! built_in_files {{\n() => {{ &[\n{included}] }};\n}}\n"
    );
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("built_in.rs"), generated)
}

/// The files of the folder that are the model, small ones first: not its card.
fn model_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    let is = |path: &Path, kind: &str| path.extension().is_some_and(|extension| extension == kind);
    let is_part = |path: &PathBuf| path.is_file() && ["json", "jinja", "safetensors"].iter().any(|kind| is(path, kind));
    let mut files: Vec<PathBuf> = entries.into_iter().filter(is_part).collect();
    files.sort_by_key(|path| (is(path, "safetensors"), path.clone()));
    Ok(files)
}
