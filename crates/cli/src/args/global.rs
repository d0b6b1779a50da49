//! Arguments of every command.

use clap::{Args, ValueEnum};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct GlobalArguments {
    /// Say nothing on stderr but warnings and errors: no device, no progress, no times
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Whether explanations are tinted in the terminal; auto: if stdout is a terminal that can, and NO_COLOR is not set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// Whether to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}
