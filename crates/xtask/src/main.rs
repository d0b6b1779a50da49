//! Everything about AtMan that is not the product: set-up, the page's build, tests. Run as `cargo xtask <command>`.

mod bench;
mod places;
mod process;
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
    /// Build the web page into dist/
    Site,
    /// Build the web page and serve it, with the models of the cache folder under /models/
    Serve {
        /// Port on this machine; 0 picks a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Time a forward pass of the test model on each executor, kernel by kernel
    Bench(bench::Options),
    /// Set up, then run every check and test; ends with one line, `N passed, N failed`
    Test(test::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Setup(parts) => setup::run(parts),
        Command::Site => site::build(&site::Flavour::Page).map(|folder| println!("{}", folder.display())),
        Command::Serve { port } => site::serve(port),
        Command::Bench(options) => bench::run(&options),
        Command::Test(options) => test::run(&options),
    }
}
