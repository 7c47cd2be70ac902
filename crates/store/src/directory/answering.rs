//! Whether the database answers, asked at most once a second whoever wants to know.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tollgate_domain::{Clock, Ticks};

use crate::Db;

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last answer, and when it came.
#[derive(Debug, Default)]
pub(super) struct Answering(Mutex<Option<(Ticks, bool)>>);

impl Answering {
    /// Whoever asks while somebody else does waits for the same answer.
    pub(super) async fn ask(&self, db: &Db, clock: &dyn Clock) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, answers)) = *last
            && clock.ticks().since(at) < BELIEVED
        {
            return answers;
        }
        let answers = timeout(PATIENCE, db.ping()).await.is_ok_and(|ping| ping.is_ok());
        *last = Some((clock.ticks(), answers));
        answers
    }
}
