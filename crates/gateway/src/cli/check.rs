//! `tollgate check FILE`: everything that is wrong with a configuration, at once.

use std::path::PathBuf;
use std::process::ExitCode;

use tollgate_domain::Clock as _;

use crate::cli::{FINDINGS, NOT_STARTED};
use crate::clock::SystemClock;
use crate::{environment, startup};

/// What `check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration file
    file: PathBuf,
}

impl Check {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the findings are this command's output"
    )]
    pub(super) fn run(&self) -> ExitCode {
        let text = match startup::read_config(&self.file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("tollgate: {error:#}");
                return ExitCode::from(NOT_STARTED);
            }
        };
        let lookup =
            |name: &str| environment::lookup(name).or_else(|| startup::built_in(name, None));
        match startup::compile(&self.file, &text, &lookup, (None, SystemClock::start().now())) {
            Err(error) => {
                eprintln!("tollgate: {error:#}");
                ExitCode::from(NOT_STARTED)
            }
            Ok(Err(findings)) => {
                println!("{findings}");
                ExitCode::from(FINDINGS)
            }
            Ok(Ok(compiled)) => {
                print!("{}", startup::rendered(&compiled.warnings, &self.file, &text));
                println!(
                    "{} is fine: {}",
                    self.file.display(),
                    startup::summary(&compiled.snapshot)
                );
                ExitCode::SUCCESS
            }
        }
    }
}
