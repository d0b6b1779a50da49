//! Everything about AtMan that is not the product: set-up, the page's build, tests. Run as `cargo xtask <command>`.

mod bench;
mod browser;
mod places;
mod process;
mod release;
mod screenshots;
mod setup;
mod site;
mod tally;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Sets up, builds, serves and tests AtMan", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring what this machine lacks to build and test AtMan; does nothing where nothing is missing
    Setup(setup::Parts),
    /// Build the web page, with the models that it offers, into dist/: plain files for any web server
    BuildWeb(site::Options),
    /// Build the web page and serve it on this machine; fetches the model that it offers unless it is there
    Serve(site::ServeOptions),
    /// Build the web page and take its pictures, in Chromium
    Screenshots(screenshots::Options),
    /// Time a forward pass of the test model on each executor, kernel by kernel
    Bench(bench::Options),
    /// Build the command with optimisation, and pack it with completions and manual pages
    Release,
    /// Set up, then run every check and test; ends with one line, `N passed, N failed`
    Test(test::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Setup(parts) => setup::run(parts),
        Command::BuildWeb(options) => site::run(&options),
        Command::Serve(options) => site::serve(&options),
        Command::Screenshots(options) => screenshots::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Release => release::run(),
        Command::Test(options) => test::run(&options),
    }
}
