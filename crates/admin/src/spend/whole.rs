//! `GET /global/spend`: what everybody spent in the last thirty days.

use serde_json::{Value, json};
use tollgate_domain::{Level, Money, Subject};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use super::{USUAL_DAYS, by_day, last};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "What everybody spent in the last thirty days, and the gateway's budget";
    vec![Route::question("/global/spend", Audience::SpendViewers, (about, &[]), whole)]
}

async fn whole(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let days = by_day(&desk, Subject::new(Level::All, ""), &last(&desk, USUAL_DAYS)?).await?;
    let spent = days.iter().fold(Money::ZERO, |sum, day| sum.saturating_add(day.cost));
    let snapshot = desk.configuration.snapshot();
    let budget = snapshot.settings.budgets.whole.as_ref();
    let cap = budget.and_then(|limits| limits.whole.money.first()).and_then(|bound| bound.cap);
    Ok(json!({ "spend": spent, "max_budget": cap }))
}
