//! The task of a gateway that hears of changes which other gateways made, and forgets what it knew.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tollgate_domain::KeyId;

use super::{CHANNEL, Change};
use crate::{Db, KeyDirectory, StoreError};

/// What Postgres shows as the connection's name.
const APPLICATION_NAME: &str = "tollgate changes";
/// How long a connection is waited for.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The wait before a lost connection is first made again. A change that was missed meanwhile has to
/// bind within a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest wait between two tries to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After this long without a change the connection is asked for a sign of life: one that died
/// without a word would else be listened to for ever.
const QUIET_MAX: Duration = Duration::from_secs(1);
/// How long that sign is waited for.
const SIGN_OF_LIFE_MAX: Duration = Duration::from_secs(2);
/// Most changes that are taken together: one pass over memory forgets the keys of all.
const TOGETHER_MAX: usize = 1_000;

/// Listens for changes for as long as it runs.
#[must_use = "changes are heard by `run`"]
pub struct ChangeListener {
    options: PgConnectOptions,
    /// The name of this gateway's other connections.
    own_name: String,
    keys: Arc<KeyDirectory>,
    /// Told when deployments or credentials may have changed.
    models: Arc<Notify>,
    /// The connection that was made at the start.
    first: Option<PgListener>,
}

impl ChangeListener {
    /// A task that makes the directory forget what other gateways change, over a connection of its
    /// own, which is made here: nothing that is read from now on is missed. `None` for a database
    /// that has one gateway only.
    ///
    /// `models` is notified when deployments or credentials may have changed: once at the start,
    /// for what changed since they were read, and whenever another gateway changes them.
    pub async fn start(db: &Db, keys: Arc<KeyDirectory>, models: Arc<Notify>) -> Option<Self> {
        let Db::Postgres(pool) = db else { return None };
        let options = PgConnectOptions::clone(&pool.connect_options());
        let own_name = options.get_application_name().unwrap_or_default().to_owned();
        let options = options.application_name(APPLICATION_NAME);
        let mut listening = Self { options, own_name, keys, models, first: None };
        match listening.connect().await {
            Ok(first) => listening.first = Some(first),
            Err(failure) => tracing::warn!(%failure, "changes by other gateways cannot be heard"),
        }
        listening.models.notify_one();
        Some(listening)
    }

    /// Listens until it is dropped. After each new connection everything is forgotten, because what
    /// changed before it was not heard.
    pub async fn run(mut self) {
        let mut listener = self.first.take();
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(listener) = listener.take() {
                pause = FIRST_PAUSE;
                let lost = self.listen(listener).await;
                tracing::warn!(%lost, "changes by other gateways are not heard; reconnecting");
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.connect().await {
                Ok(again) => {
                    self.keys.forget_all();
                    self.models.notify_one();
                    tracing::info!("changes by other gateways are heard again");
                    listener = Some(again);
                }
                Err(failure) => tracing::debug!(%failure, "still not connected"),
            }
        }
    }

    async fn connect(&self) -> Result<PgListener, StoreError> {
        let mut listener = PgListener::connect_with(&self.pool()).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// A pool for the one connection, which makes no second one.
    fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT_MAX)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(self.options.clone())
    }

    /// Forgets what changes, until the connection is lost; gives why it was.
    async fn listen(&self, mut listener: PgListener) -> StoreError {
        loop {
            let lost = match timeout(QUIET_MAX, heard(&mut listener)).await {
                Ok(Ok(first)) => self.take(&mut listener, &first).await,
                Ok(Err(lost)) => Err(lost),
                Err(_) => sign_of_life(&mut listener).await,
            };
            if let Err(lost) = lost {
                return lost;
            }
        }
    }

    /// Forgets what a change touched, and with it what the changes touched that have come already.
    /// When the connection is lost in between, the next one makes everything forgotten.
    async fn take(
        &self,
        listener: &mut PgListener,
        first: &PgNotification,
    ) -> Result<(), StoreError> {
        let mut keys = HashSet::new();
        self.forget(first, &mut keys);
        for _ in 1..TOGETHER_MAX {
            let Ok(another) = timeout(Duration::ZERO, heard(listener)).await else { break };
            self.forget(&another?, &mut keys);
        }
        self.keys.forget_keys(&keys);
        Ok(())
    }

    /// Forgets what a change touched, but collects keys.
    fn forget(&self, heard: &PgNotification, keys: &mut HashSet<KeyId>) {
        match Change::hear(heard.payload(), &self.own_name) {
            Some(Change::Key(id)) => drop(keys.insert(id)),
            Some(Change::Level(subject)) => self.keys.forget_level(&subject),
            Some(Change::Budget(budget)) => self.keys.forget_budget(&budget),
            Some(Change::Models) => self.models.notify_one(),
            Some(Change::Everything) => {
                self.keys.forget_all();
                self.models.notify_one();
            }
            None => {}
        }
    }
}

/// The next notification, or why there is none any more.
async fn heard(listener: &mut PgListener) -> Result<PgNotification, StoreError> {
    let lost = || sqlx::Error::Io(ErrorKind::ConnectionAborted.into());
    Ok(listener.try_recv().await?.ok_or_else(lost)?)
}

async fn sign_of_life(listener: &mut PgListener) -> Result<(), StoreError> {
    let asked = timeout(SIGN_OF_LIFE_MAX, sqlx::query("SELECT 1").execute(&mut *listener)).await;
    asked.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(())
}
