//! What limits add to a whole call: calls of keys in a tree of five levels with limits, against
//! calls of a key in such a tree without any. A key with nobody above it is called beside them:
//! what the tree adds to its calls is nearly all the ledger's, which sums each entry under five
//! subjects in place of one.

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::control;
use crate::measure::cost;
use crate::plan::Plan;
use crate::request::{Chat, Request};
use crate::samples::rounded;
use crate::site::{Gateway, MASTER_KEY, Simulator, Site, Target};

/// The figure is a difference of two that are much larger, so it takes more rounds than those.
const ROUNDS_FACTOR: u32 = 3;
/// A cap that no load reaches, in dollars, requests or tokens.
const PLENTY: u64 = 1_000_000_000;

/// What limits cost, in microseconds of processor time per call. Each way counts as the round at
/// the lower quartile of its own: whatever else the machine does only takes away, and does so for
/// whole rounds at a time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Admission {
    /// Rounds of each way, in turns.
    pub(crate) rounds: u32,
    /// A key with nobody above it and no limit.
    pub(crate) plain_us: f64,
    /// A key of a user in a team of an organization, called for a customer, without limits: what it
    /// costs to charge all of them.
    pub(crate) charged_us: f64,
    /// The same with three budgets and two rate limits among the five levels.
    pub(crate) limited_us: f64,
    /// The same with three budgets and two rate limits at each of the five levels.
    pub(crate) crowded_us: f64,
    /// What charging five subjects in place of one adds to the plain call: looking them up, and the
    /// ledger's sums for them.
    pub(crate) charging_us: f64,
    /// What the five limits add to the same tree without them.
    pub(crate) limits_us: f64,
    /// What the limits at each level add to it.
    pub(crate) crowd_us: f64,
}

/// One way of a call.
struct Way {
    request: Request,
    /// What a call took in each round, in microseconds.
    rounds: Vec<f64>,
}

/// Measures through a gateway of its own.
///
/// # Errors
/// When a call is not answered as it should be.
pub(crate) async fn measure(
    site: &Site,
    plan: Plan,
    simulator: &Simulator,
) -> anyhow::Result<Admission> {
    let gateway = Gateway::start(site, simulator, "admission").await?.gateway;
    let target = gateway.target().await?;
    let plain = control::key(target.address, MASTER_KEY, &json!({})).await?;
    let mut ways = vec![Way::new(&target, &plain, None)];
    for limits in [Limits::None, Limits::Spread, Limits::Everywhere] {
        let key = tree(&target, limits).await?;
        ways.push(Way::new(&target, &key, Some(limits.name())));
    }
    let rounds = plan.rounds * ROUNDS_FACTOR;
    for _ in 0..rounds {
        for way in &mut ways {
            let cost = cost::of_calls(plan, &target, way.request.clone()).await;
            way.rounds.push(cost.context("calls under limits")?.each_us());
        }
    }
    gateway.stop().await.context("after the limits")?;
    let [plain, charged, limited, crowded] = ways.as_slice() else {
        anyhow::bail!("a way of a call is missing");
    };
    let (plain_us, charged_us) = (plain.each_us()?, charged.each_us()?);
    let (limited_us, crowded_us) = (limited.each_us()?, crowded.each_us()?);
    Ok(Admission {
        rounds,
        plain_us,
        charged_us,
        limited_us,
        crowded_us,
        charging_us: rounded(charged_us - plain_us),
        limits_us: rounded(limited_us - charged_us),
        crowd_us: rounded(crowded_us - charged_us),
    })
}

impl Way {
    fn new(target: &Target, key: &str, customer: Option<&str>) -> Self {
        let chat = Chat { model: "answer", streamed: false };
        let request = chat.request(target.address, key);
        let request = match customer {
            Some(name) => request.with_header("x-litellm-customer-id", &format!("{name}-customer")),
            None => request,
        };
        Self { request, rounds: Vec::new() }
    }

    /// What a call took in the round at the lower quartile.
    fn each_us(&self) -> anyhow::Result<f64> {
        lower_quartile(self.rounds.clone()).context("there was no round")
    }
}

/// The smallest value that at least a quarter of the values do not exceed.
fn lower_quartile(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().div_ceil(4).checked_sub(1)?).copied()
}

/// Where a tree has limits.
#[derive(Debug, Clone, Copy)]
enum Limits {
    None,
    /// Three budgets and two rate limits in all.
    Spread,
    /// Three budgets and two rate limits at each level.
    Everywhere,
}

impl Limits {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "free",
            Self::Spread => "spread",
            Self::Everywhere => "everywhere",
        }
    }

    /// The fields of one with these limits, of which `spread` are its part of few.
    fn of(self, mut fields: Value, spread: Value) -> Value {
        let limits = match self {
            Self::None => return fields,
            Self::Spread => spread,
            Self::Everywhere => json!({
                "max_budget": PLENTY,
                "budget_duration": "30d",
                "budget_limits": [
                    { "budget_duration": "7d", "max_budget": PLENTY },
                    { "budget_duration": "1d", "max_budget": PLENTY },
                ],
                "rpm_limit": PLENTY,
                "tpm_limit": PLENTY,
            }),
        };
        if let (Value::Object(fields), Value::Object(limits)) = (&mut fields, limits) {
            fields.extend(limits);
        }
        fields
    }
}

/// Makes an organization, a team, a user, a customer and a key, and gives the key.
async fn tree(target: &Target, limits: Limits) -> anyhow::Result<String> {
    let id = |what: &str| format!("{}-{what}", limits.name());
    let budget = |period: &str| json!({ "max_budget": PLENTY, "budget_duration": period });
    let organization = json!({
        "organization_id": id("organization"),
        "organization_alias": id("organization"),
    });
    let team = json!({ "team_id": id("team"), "organization_id": id("organization") });
    let user = json!({ "user_id": id("user"), "auto_create_key": false });
    let customer = json!({ "user_id": id("customer") });
    let made = [
        ("/organization/new", limits.of(organization, budget("30d"))),
        ("/team/new", limits.of(team, budget("7d"))),
        ("/user/new", limits.of(user, json!({ "tpm_limit": PLENTY }))),
        ("/customer/new", limits.of(customer, json!({ "rpm_limit": PLENTY }))),
    ];
    for (path, fields) in &made {
        control::manage(target.address, MASTER_KEY, (path, fields)).await?;
    }
    let key = json!({ "team_id": id("team"), "user_id": id("user") });
    let key = limits.of(key, budget("1d"));
    control::key(target.address, MASTER_KEY, &key).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_that_was_disturbed_moves_no_lower_quartile() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0, 3.0, 2.0], Some(1.0)),
            (vec![5.0, 4.0, 3.0, 2.0, 1.0], Some(2.0)),
            (vec![5.0, 40.0, 30.0, 2.0, 1.0], Some(2.0)),
        ] {
            assert_eq!(lower_quartile(values.clone()), expected, "{values:?}");
        }
    }
}
