//! How shared counters work.

use std::time::Duration;

use tollgate_domain::Secret;

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_millis(500);
/// How long a node may be silent before others give back what it holds.
const LEASE: Duration = Duration::from_secs(10);
/// How long claims wait in a new epoch, so that every node has told what it holds and the ledger
/// has written what was settled.
const REBUILD: Duration = Duration::from_millis(1_500);
/// How long Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How many claims one call may make: at admission and at the deployments that are tried.
const CLAIMS_PER_CALL: usize = 4;

/// What happens to claims while Redis is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhileAway {
    /// Those that a cap on money binds are refused; of other limits each node grants its share.
    Refuse,
    /// Each node grants its share of every limit. One that has not seen the others yet knows no
    /// share, and refuses as above.
    Share,
}

/// How shared counters work.
#[derive(Debug, Clone)]
pub struct SharedOptions {
    /// Where Redis is: `redis://`, `rediss://` or `redis+unix://`.
    pub url: Secret,
    /// What tells this gateway's counters from others' on the same server.
    pub namespace: String,
    /// Who this node is; no two starts share it.
    pub node: String,
    /// What happens while Redis is away.
    pub while_away: WhileAway,
    /// Most claims that are held or wait to be settled.
    pub queue: usize,
    /// Whether no other node is running, so that the first epoch needs no time to be rebuilt and
    /// this node's share is the whole.
    pub sole: bool,
    /// Whether to begin with a new epoch, because the ledger has entries that no counter has seen:
    /// calls that a crash left open.
    pub renew: bool,
    /// How often this node says that it lives.
    pub beat: Duration,
    /// How long this node may be silent before others give back what it holds.
    pub lease: Duration,
    /// How long claims wait in a new epoch.
    pub rebuild: Duration,
    /// How long Redis may take to answer.
    pub answer_within: Duration,
}

impl SharedOptions {
    /// The usual options of a node that takes this many calls at one time.
    #[must_use]
    pub fn new(url: Secret, namespace: &str, node: &str, calls: usize) -> Self {
        Self {
            url,
            namespace: namespace.to_owned(),
            node: node.to_owned(),
            while_away: WhileAway::Refuse,
            queue: calls.saturating_mul(CLAIMS_PER_CALL),
            sole: false,
            renew: false,
            beat: BEAT,
            lease: LEASE,
            rebuild: REBUILD,
            answer_within: ANSWER_WITHIN,
        }
    }
}
