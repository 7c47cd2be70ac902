//! This program, running once more to claim and settle as a gateway does for each call, and nothing
//! else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tollgate_domain::{
    Clock, KeyHash, KeyId, Level, Money, OrganizationId, Subject, TeamId, UserId,
};
use tollgate_policy::{Calendar, Demand, Used};
use tollgate_store::{By, Db, EntityRow, KeyDirectory, KeyRow, KeyRules, LimitFields};

use crate::clock::{SystemClock, thread_cpu};

/// Operations of one way before it is the other's turn.
const TURN: u32 = 20_000;
/// A cap that nothing here reaches, in requests or tokens.
const PLENTY: u64 = 1_000_000_000_000;
/// What each call may cost at most, and the tokens it may use.
const DEMAND: Demand = Demand { money: Money::from_nanos(3_000), tokens: 300 };
/// What each call costs, and the tokens it uses.
const USED: Used = Used { cost: Money::from_nanos(1_000), tokens: 100 };
/// How the directory names who is in it.
const NAME: &str = "claims";

/// What one operation took, in nanoseconds of processor time, in the turn that took least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Took {
    /// For a key with nobody above it and no limit.
    pub(crate) bare_ns: f64,
    /// For a key in a tree of five levels with three budgets and two rate limits.
    pub(crate) tree_ns: f64,
}

/// One way of a call.
struct Way {
    key: KeyHash,
    customer: Option<Subject>,
    least: Duration,
}

/// Finds who calls, claims of every limit and settles, so many times for each way, over a new
/// SQLite file. Everybody is in memory by then, as they are for all but their first calls.
///
/// # Errors
/// When the database fails, or a call is not counted.
pub(crate) async fn claim(file: &Path, operations: u32) -> anyhow::Result<Took> {
    let db = Db::open(&file.display().to_string()).await?;
    db.migrate().await?;
    let clock = Arc::new(SystemClock::start());
    let [bare, tree] = fill(&db, &*clock).await?;
    let mut ways = [
        Way { key: bare, customer: None, least: Duration::MAX },
        Way {
            key: tree,
            customer: Some(Subject::new(Level::Customer, NAME)),
            least: Duration::MAX,
        },
    ];
    let known: Arc<dyn Clock> = clock.clone();
    let directory = KeyDirectory::new(db.clone(), 10, known, Arc::new(Calendar::default()));
    let turns = operations.div_ceil(TURN);
    for _ in 0..turns {
        for way in &mut ways {
            let before = thread_cpu();
            for _ in 0..TURN {
                call(&directory, way, &*clock).await?;
            }
            way.least = way.least.min(thread_cpu().saturating_sub(before));
        }
    }
    must_have_counted(&directory, &*clock, turns * TURN).await?;
    db.close().await;
    let [bare_ns, tree_ns] = ways.map(|way| way.least.as_secs_f64() * 1e9 / f64::from(TURN));
    Ok(Took { bare_ns, tree_ns })
}

/// What a gateway does about limits for one call.
async fn call(directory: &KeyDirectory, way: &Way, clock: &dyn Clock) -> anyhow::Result<()> {
    let key = directory.find(&way.key).await?.context("the key is gone")?;
    let mut levels = directory.chain(&key).await?;
    if let Some(customer) = &way.customer {
        levels.push(directory.level(customer).await?);
    }
    let claims = directory.claim(&levels, &["answer"], &DEMAND, clock.now()).await;
    let Ok(claims) = claims else { anyhow::bail!("a claim was refused") };
    claims.settle(&USED);
    Ok(())
}

/// Speed that counts nothing is worth nothing.
async fn must_have_counted(
    directory: &KeyDirectory,
    clock: &dyn Clock,
    calls: u32,
) -> anyhow::Result<()> {
    let expected = Money::from_nanos(USED.cost.nanos() * i64::from(calls));
    let organization = directory.level(&Subject::new(Level::Organization, NAME)).await?;
    let counted = organization.spent(directory.calendar(), clock.now());
    ensure!(counted == expected, "{counted} were counted in place of {expected}");
    Ok(())
}

/// Makes a key alone and one in a tree, and gives their hashes.
async fn fill(db: &Db, clock: &dyn Clock) -> anyhow::Result<[KeyHash; 2]> {
    let by = By::program("bench", clock.now());
    let budget = |period: &str| LimitFields {
        max_budget: Some(Money::MAX),
        budget_duration: Some(period.to_owned()),
        ..LimitFields::default()
    };
    let tokens = LimitFields { tpm_limit: Some(PLENTY), ..LimitFields::default() };
    let requests = LimitFields { rpm_limit: Some(PLENTY), ..LimitFields::default() };
    let entities = [
        (Level::Organization, budget("30d")),
        (Level::Team, budget("7d")),
        (Level::User, tokens),
        (Level::Customer, requests),
    ];
    let entities = entities
        .map(|(level, limits)| EntityRow { limits, ..EntityRow::new(level, "", NAME, by.at) });
    ensure!(db.edit(&by).insert_entities(&entities).await?, "somebody is there already");
    let bare = key("bare", LimitFields::default(), &by)?;
    let tree = KeyRow {
        user: Some(UserId::new(NAME)?),
        team: Some(TeamId::new(NAME)?),
        organization: Some(OrganizationId::new(NAME)?),
        ..key("tree", budget("1d"), &by)?
    };
    for row in [&bare, &tree] {
        db.edit(&by).insert_key(row).await?;
    }
    Ok([bare.hash, tree.hash])
}

fn key(id: &str, limits: LimitFields, by: &By) -> anyhow::Result<KeyRow> {
    Ok(KeyRow {
        hash: KeyHash::of(id),
        id: KeyId::new(id)?,
        name: "sk-...0000".to_owned(),
        alias: None,
        user: None,
        team: None,
        organization: None,
        project: None,
        models: Vec::new(),
        limits,
        budget: None,
        expires_at: None,
        blocked: false,
        rules: KeyRules::default(),
        metadata: serde_json::Map::new(),
        created_at: by.at,
        created_by: None,
        updated_at: by.at,
        updated_by: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_ways_claim_and_settle_and_the_tree_counts_every_call() {
        let folder = tempfile::tempdir().expect("a folder");
        let took = claim(&folder.path().join("claims"), 1).await.expect("claims");
        assert!(took.bare_ns > 0.0 && took.tree_ns > took.bare_ns, "{took:?}");
    }
}
