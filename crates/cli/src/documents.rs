//! Completions and manual pages, made from the definitions of the arguments.

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::say;
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::io::Write;

/// `atman completions`.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "atman", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

/// `atman man`.
pub(crate) fn man(arguments: &ManArguments) -> Result<()> {
    let command = Arguments::command();
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(std::io::stdout().write_all(&page)?);
    };
    let writing = || format!("cannot write manual pages into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(writing)?;
    clap_mangen::generate_to(command, folder).with_context(writing)?;
    say::note(format_args!("written to {}", folder.display()));
    Ok(())
}
