//! What people download: the command with its completions and manual pages, as one archive for this kind of machine.

use crate::{places, process};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Shells that completions are made for, and what their files are called.
const COMPLETIONS: [(&str, &str); 4] =
    [("bash", "atman.bash"), ("zsh", "_atman"), ("fish", "atman.fish"), ("powershell", "_atman.ps1")];
/// Texts of the repository's root that go along.
const TEXTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds the command with optimisation and puts the archive into the target folder.
pub(crate) fn run() -> Result<()> {
    let root = places::root()?;
    process::run(process::cargo().current_dir(&root).args(["build", "--release", "--locked", "--package", "atman-cli"]))?;
    let program = places::target()?.join("release").join(format!("atman{}", std::env::consts::EXE_SUFFIX));
    let name = format!("atman-{}-{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    let path = places::target()?.join(format!("{name}.zip"));
    let file = File::create(&path).with_context(|| format!("could not make {}", path.display()))?;
    pack(file, &name, &contents(&program, &root)?).with_context(|| format!("could not write {}", path.display()))?;
    println!("The release is {}", path.display());
    Ok(())
}

/// A file of the archive.
struct Member {
    /// Below the archive's one folder.
    name: String,
    bytes: Vec<u8>,
    is_program: bool,
}

/// Everything that goes into it; completions and manual pages are what the program itself makes of its arguments.
fn contents(program: &Path, root: &Path) -> Result<Vec<Member>> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("could not read {}", path.display()));
    let text = |name: String, bytes| Member { name, bytes, is_program: false };
    let program_name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut members = vec![Member { name: program_name, bytes: read(program)?, is_program: true }];
    for (shell, file) in COMPLETIONS {
        let script = process::output(Command::new(program).args(["completions", shell]))?;
        members.push(text(format!("completions/{file}"), format!("{script}\n").into_bytes()));
    }
    let pages = places::target()?.join("man");
    process::output(Command::new(program).arg("man").arg("--out").arg(&pages))?;
    let mut found: Vec<PathBuf> =
        pages.read_dir().and_then(|all| all.map(|page| Ok(page?.path())).collect()).context("could not list the manual pages")?;
    found.sort();
    for page in found {
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        members.push(text(format!("man/{name}"), read(&page)?));
    }
    for name in TEXTS {
        members.push(text(name.to_owned(), read(&root.join(name))?));
    }
    Ok(members)
}

fn pack(file: File, folder: &str, members: &[Member]) -> Result<()> {
    let mut archive = ZipWriter::new(file);
    for member in members {
        let mode = if member.is_program { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(mode);
        archive.start_file(format!("{folder}/{}", member.name), options)?;
        archive.write_all(&member.bytes)?;
    }
    archive.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_one_folder_and_only_the_program_can_be_run() {
        let path = std::env::temp_dir().join(format!("atman-release-{}.zip", std::process::id()));
        let member = |name: &str, is_program| Member { name: name.to_owned(), bytes: name.as_bytes().to_vec(), is_program };
        pack(File::create(&path).unwrap(), "atman-1", &[member("atman", true), member("man/atman.1", false)]).unwrap();
        let mut archive = zip::ZipArchive::new(File::open(&path).unwrap()).unwrap();
        let mut found = Vec::new();
        for i in 0..archive.len() {
            let file = archive.by_index(i).unwrap();
            found.push((file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o777));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(found, [("atman-1/atman".to_owned(), 0o755), ("atman-1/man/atman.1".to_owned(), 0o644)]);
    }
}
