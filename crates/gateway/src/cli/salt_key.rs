//! `tollgate salt-key change`: seals every secret in the database with another key.
//!
//! Keys are read from files and variables, never from arguments, which everybody on a machine can
//! list. Without `--apply` every secret is opened and nothing is written.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_config::{Snapshot, Stored};
use tollgate_domain::{Clock as _, Random, Secret, Timestamp};
use tollgate_store::{By, ResealError, Resealed, UnreadableRow, Vault};

use crate::cli::{FINDINGS, NOT_STARTED};
use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::{salt_key, startup, wiring};

/// Who changed it, in the record of changes.
const CHANGED_BY: &str = "salt-key change";

/// What `salt-key` does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum SaltKey {
    /// Seal every secret in the database with another key: all of them or none
    Change(Change),
}

/// What `salt-key change` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// The configuration file that the gateway serves with
    #[arg(long, short, value_name = "FILE", env = "CONFIG_FILE_PATH")]
    config: PathBuf,
    /// Where the gateway keeps its database and its salt key
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    data_dir: PathBuf,
    /// A file with the key that the secrets are sealed with; when absent, the key that the gateway
    /// would use
    #[arg(long, value_name = "FILE", conflicts_with = "old_key_env")]
    old_key_file: Option<PathBuf>,
    /// A variable that holds it
    #[arg(long, value_name = "NAME")]
    old_key_env: Option<String>,
    /// A file with the new key, at least 16 characters, best long and random
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "new_key_env",
        conflicts_with = "new_key_env"
    )]
    new_key_file: Option<PathBuf>,
    /// A variable that holds it
    #[arg(long, value_name = "NAME")]
    new_key_env: Option<String>,
    /// Write; without it every secret is opened and nothing is changed
    #[arg(long)]
    apply: bool,
}

/// How the command ended.
enum Outcome {
    /// Everything opens, and was written if it was to be.
    Opened(Resealed),
    /// Nothing was written, and why.
    Refused(String),
}

impl SaltKey {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the report is this command's output"
    )]
    pub(super) fn run(&self) -> ExitCode {
        let Self::Change(args) = self;
        match args.run() {
            Ok(Outcome::Opened(resealed)) => {
                println!("{}", args.told(resealed));
                ExitCode::SUCCESS
            }
            Ok(Outcome::Refused(why)) => {
                eprintln!("tollgate: {why}; nothing was written");
                FINDINGS.into()
            }
            Err(error) => {
                eprintln!("tollgate: {error:#}");
                NOT_STARTED.into()
            }
        }
    }
}

impl Change {
    fn run(&self) -> anyhow::Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.change())
    }

    async fn change(&self) -> anyhow::Result<Outcome> {
        let old = given(self.old_key_file.as_deref(), self.old_key_env.as_deref())?;
        let old = old.map_or_else(|| self.usual(), Ok)?;
        let new = given(self.new_key_file.as_deref(), self.new_key_env.as_deref())?;
        let new = new.context("name the new key by --new-key-file or --new-key-env")?;
        anyhow::ensure!(
            salt_key::is_long_enough(&new),
            "the new key has fewer than {} characters; whoever reads the database can try out such \
             keys",
            salt_key::LENGTH_MIN
        );
        if old == new {
            return Ok(Outcome::Refused("the new key is the old one".to_owned()));
        }
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let (old, new) = (Vault::new(&old, Arc::clone(&random)), Vault::new(&new, random));
        let now = SystemClock::start().now();
        let database = wiring::database_url(&self.snapshot(now)?, &self.data_dir);
        let db = wiring::open(&database).await?;
        let by = By::program(CHANGED_BY, now);
        let resealed = db.reseal((&old, &new), &by, self.apply).await;
        db.close().await;
        match resealed {
            Ok(resealed) => Ok(Outcome::Opened(resealed)),
            Err(ResealError::Unopened(rows)) => Ok(Outcome::Refused(unopened(&rows))),
            Err(problem @ ResealError::AlreadyDone) => Ok(Outcome::Refused(problem.to_string())),
            Err(ResealError::Store(problem)) => Err(problem.into()),
        }
    }

    /// The key that a gateway would use.
    fn usual(&self) -> anyhow::Result<Secret> {
        salt_key::known(&self.data_dir)?.with_context(|| {
            format!(
                "no old key is known: set `TOLLGATE_SALT_KEY`, name the data directory that has \
                 the file `salt_key` (it is {}), or use --old-key-file",
                self.data_dir.display()
            )
        })
    }

    fn snapshot(&self, now: Timestamp) -> anyhow::Result<Snapshot> {
        let text = startup::read_config(&self.config)?;
        let dated = (Some(self.data_dir.as_path()), now);
        let compiled = startup::compile_with(
            (&self.config, &text),
            &startup::variable,
            dated,
            &Stored::default(),
        )?;
        let wrong = || format!("the configuration {} is wrong", self.config.display());
        Ok(compiled.map_err(anyhow::Error::msg).with_context(wrong)?.snapshot)
    }

    /// What was done, and what is to be done now.
    fn told(&self, resealed: Resealed) -> String {
        let Resealed { deployments, credentials, secrets } = resealed;
        let what =
            format!("{secrets} secrets of {deployments} deployments and {credentials} credentials");
        match (secrets, self.apply) {
            (0, _) => "no secret is sealed in the database: the next key that is used is the one"
                .to_owned(),
            (_, false) => {
                format!("{what} open with the old key; nothing was written: --apply does")
            }
            (_, true) => format!(
                "{what} are sealed with the new key\n\
                 start every gateway of this database anew, with the new key in \
                 `TOLLGATE_SALT_KEY` or,\n\
                 where that is not set, in the file `salt_key` of its data directory; until then \
                 they go on with\n\
                 what they have read, and no deployment or credential must be changed"
            ),
        }
    }
}

/// The key that a file or a variable holds, if one is named.
fn given(file: Option<&Path>, variable: Option<&str>) -> anyhow::Result<Option<Secret>> {
    let key = file.map(salt_key::of_file);
    key.or_else(|| variable.map(salt_key::of_variable)).transpose()
}

/// Each entry that the old key does not open, a line each.
fn unopened(rows: &[UnreadableRow]) -> String {
    let mut text = "the old key does not open everything that is sealed:\n".to_owned();
    for UnreadableRow { noun, id, problem, .. } in rows {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {noun} `{id}`: {problem}");
    }
    text + "name the right key, or delete these first"
}
