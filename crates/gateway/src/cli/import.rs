//! `tollgate import litellm`: takes over what a running LiteLLM proxy keeps in its database.
//!
//! Its database is read at one instant and never written. Without `--apply` the report is all there
//! is; with it, everything is written here, and then both sides are compared.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_config::{Compiled, Findings, LeftOut, Snapshot, Source, Stored};
use tollgate_domain::{KeyHash, Random, Secret, Timestamp};
use tollgate_store::{By, Db, StoredModels};
use tollgate_takeover::daily::DailySums;
use tollgate_takeover::map::{CREDENTIALS, DEPLOYMENTS, IMPORTED_BY, Told, map};
use tollgate_takeover::secrets::SaltKey;
use tollgate_takeover::{Plan, source};

use self::report::Report;
use crate::cli::grades::Grades;
use crate::cli::{FINDINGS, NOT_STARTED};
use crate::in_force::as_stored;
use crate::random::SystemRandom;
use crate::sharing::Sharing;
use crate::{clock, environment, salt_key, startup, wiring};

/// From where.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Import {
    /// Take over from a LiteLLM proxy: keys, teams, users, budgets, spend
    Litellm(Litellm),
}

/// What `import litellm` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Litellm {
    /// LiteLLM's configuration file, which the gateway will serve with; where LiteLLM ran without
    /// one, a file with `general_settings: {store_model_in_db: true}`
    #[arg(long, short, value_name = "FILE", env = "CONFIG_FILE_PATH")]
    config: PathBuf,
    /// LiteLLM's database; it is only read
    #[arg(long, value_name = "URL", env = "LITELLM_DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The variable that holds what LiteLLM's secrets are encrypted with; `LITELLM_SALT_KEY` when
    /// absent, and the master key where neither is set
    #[arg(long, value_name = "NAME")]
    salt_key_env: Option<String>,
    /// The database to write to; when absent, the one that the gateway would use
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Where the gateway keeps its database
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    data_dir: PathBuf,
    /// Write everything; without it the report is all there is
    #[arg(long)]
    apply: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Read the wall clock from this file: an RFC 3339 instant
    #[arg(long, value_name = "FILE", hide = true)]
    clock_file: Option<PathBuf>,
}

impl Import {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the report is this command's output"
    )]
    pub(super) fn run(&self) -> ExitCode {
        let Self::Litellm(args) = self;
        match args.run() {
            Ok(report) => {
                println!("{}", if args.json { report.json().to_string() } else { report.text() });
                if report.agrees() { ExitCode::SUCCESS } else { FINDINGS.into() }
            }
            Err(error) => {
                eprintln!("tollgate: {error:#}");
                NOT_STARTED.into()
            }
        }
    }
}

impl Litellm {
    fn run(&self) -> anyhow::Result<Report> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.import())
    }

    async fn import(&self) -> anyhow::Result<Report> {
        let clock = clock::choose(self.clock_file.as_ref())?;
        let now = clock.now();
        let (snapshot, config) = self.configured(now)?;
        let target = self.target(&snapshot)?;
        let mut plan = self.plan(&snapshot, now).await?;
        self.tell_left_out(&mut plan, now)?;
        let mut report = Report::new(now, &plan, config);
        if self.apply {
            std::fs::create_dir_all(&self.data_dir)
                .with_context(|| format!("cannot make {}", self.data_dir.display()))?;
            let db = wiring::open(&target).await?;
            report.serving = is_serving(&db).await?;
            let random: Arc<dyn Random> = Arc::new(SystemRandom);
            let vault = salt_key::settle(&db, &self.data_dir, &random).await?;
            let by = By::program(IMPORTED_BY, now);
            let applied = plan.apply(&db, &by, &vault).await?;
            if applied.sums + applied.openings > 0 {
                let settings = &snapshot.settings;
                report.counted = Sharing::renew(&db, settings, (&clock, &SystemRandom)).await?;
            }
            report.applied = Some(applied);
            report.checks = plan.verify(&db, &vault).await?;
            db.close().await;
        }
        Ok(report)
    }

    /// The configuration and the grades of its keys.
    fn configured(&self, now: Timestamp) -> anyhow::Result<(Snapshot, Grades)> {
        let text = startup::read_config(&self.config)?;
        let compiled = self.compiled(&text, now, &Stored::default())?;
        let grades = Grades::of(&text, &compiled);
        match compiled {
            Ok(compiled) => Ok((compiled.snapshot, grades)),
            Err(findings) => {
                let name = self.config.display().to_string();
                let findings = findings.render(&Source { name: &name, text: &text });
                anyhow::bail!(
                    "the configuration {name} cannot be used here yet; `tollgate check --from \
                     litellm` grades it key by key\n\n{findings}"
                )
            }
        }
    }

    fn compiled(
        &self,
        text: &str,
        now: Timestamp,
        stored: &Stored,
    ) -> anyhow::Result<Result<Compiled, Findings>> {
        let dated = (Some(self.data_dir.as_path()), now);
        startup::compile_or_findings((&self.config, text), &startup::variable, dated, stored)
    }

    /// Says of what comes over what a gateway with this configuration and this environment would
    /// leave out.
    fn tell_left_out(&self, plan: &mut Plan, now: Timestamp) -> anyhow::Result<()> {
        let models = StoredModels {
            deployments: plan.deployments.clone(),
            credentials: plan.credentials.clone(),
            unreadable: Vec::new(),
        };
        let text = startup::read_config(&self.config)?;
        let Ok(compiled) = self.compiled(&text, now, &as_stored(&models))? else { return Ok(()) };
        for LeftOut { noun, id, problem, .. } in compiled.left_out {
            let what = if noun == "credential" { CREDENTIALS } else { DEPLOYMENTS };
            let note = format!("it would be left out here: {problem}");
            plan.grades.retract(what, note, &id);
        }
        Ok(())
    }

    /// The database to write to, which is not LiteLLM's own: its migrations may drop tables that
    /// are not theirs.
    fn target(&self, snapshot: &Snapshot) -> anyhow::Result<Secret> {
        let target = self
            .to
            .clone()
            .map_or_else(|| wiring::database_url(snapshot, &self.data_dir), Secret::new);
        anyhow::ensure!(
            !source::is_same(target.expose(), &self.database_url),
            "the database to write to is LiteLLM's own, where its migrations may drop what is not \
             theirs; name another with `--to`, and start the gateway with `DATABASE_URL` set to it"
        );
        Ok(target)
    }

    /// Reads LiteLLM's database and maps everything in it.
    async fn plan(&self, snapshot: &Snapshot, now: Timestamp) -> anyhow::Result<Plan> {
        let master = snapshot.settings.master_key.as_ref();
        let mut daily = DailySums::new(master.map(|key| KeyHash::of(key.expose())));
        let url = Secret::new(self.database_url.clone());
        let read = source::read(&url, &mut |family, row| daily.add(family, row)).await?;
        let salt_key = self.salt_key(master)?;
        let period = gateway_period(snapshot);
        let told = Told {
            calendar: &snapshot.settings.calendar,
            now,
            salt_key: salt_key.as_ref(),
            store_models: snapshot.settings.store_models,
            gateway_period: period.as_deref(),
        };
        Ok(Plan::new(map(&read, &told), daily, now))
    }

    fn salt_key(&self, master: Option<&Secret>) -> anyhow::Result<Option<SaltKey>> {
        let named = match &self.salt_key_env {
            Some(name) => {
                let value = environment::first(&[name]);
                Some(value.with_context(|| format!("the variable `{name}` is not set"))?)
            }
            None => environment::first(&["LITELLM_SALT_KEY"]),
        };
        let key = named.map(Secret::new).or_else(|| master.cloned());
        Ok(key.as_ref().map(SaltKey::new))
    }
}

/// The period of the whole gateway's budget, in its own words.
fn gateway_period(snapshot: &Snapshot) -> Option<String> {
    let whole = snapshot.settings.budgets.whole.as_ref()?;
    let period = whole.whole.money.first()?.period.as_ref()?;
    Some(period.to_string())
}

/// Whether a gateway works on the database: it has counted on from what it read before.
async fn is_serving(db: &Db) -> anyhow::Result<bool> {
    let Some(presence) = db.presence().await? else { return Ok(true) };
    let alone = presence.is_sole();
    presence.end().await;
    Ok(!alone)
}
