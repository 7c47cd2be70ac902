//! `tollgate check FILE`: everything that is wrong with a configuration, at once.

use std::path::PathBuf;
use std::process::ExitCode;

use tollgate_config::{Source, Stored};
use tollgate_domain::Clock as _;

use crate::cli::grades::Grades;
use crate::cli::{FINDINGS, NOT_STARTED};
use crate::clock::SystemClock;
use crate::startup;

/// What `check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration file
    file: PathBuf,
    /// Grade each of its keys by how well it comes over from another gateway
    #[arg(long, value_name = "GATEWAY")]
    from: Option<From>,
    /// Print the grades as JSON
    #[arg(long, requires = "from")]
    json: bool,
}

/// A gateway whose configuration can be graded.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum From {
    Litellm,
}

impl Check {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the findings are this command's output"
    )]
    pub(super) fn run(&self) -> ExitCode {
        match self.checked() {
            Ok((text, status)) => {
                println!("{text}");
                status
            }
            Err(error) => {
                eprintln!("tollgate: {error:#}");
                ExitCode::from(NOT_STARTED)
            }
        }
    }

    /// What is to be said, and the status that says it too.
    fn checked(&self) -> anyhow::Result<(String, ExitCode)> {
        let text = startup::read_config(&self.file)?;
        let dated = (None, SystemClock::start().now());
        let compiled = startup::compile_or_findings(
            (&self.file, &text),
            &startup::variable,
            dated,
            &Stored::default(),
        )?;
        if let Some(From::Litellm) = self.from {
            let grades = Grades::of(&text, &compiled);
            let status = if compiled.is_ok() { ExitCode::SUCCESS } else { FINDINGS.into() };
            return Ok((
                if self.json { grades.json().to_string() } else { grades.table() },
                status,
            ));
        }
        let name = self.file.display().to_string();
        Ok(match compiled {
            Err(findings) => {
                let source = Source { name: &name, text: &text };
                (findings.render(&source), ExitCode::from(FINDINGS))
            }
            Ok(compiled) => {
                let warnings = startup::rendered(&compiled.warnings, &self.file, &text);
                let summary = startup::summary(&compiled.snapshot);
                (format!("{warnings}{name} is fine: {summary}"), ExitCode::SUCCESS)
            }
        })
    }
}
