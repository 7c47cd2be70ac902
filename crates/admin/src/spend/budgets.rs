//! `GET /provider/budgets`: what providers may be paid, and were in the present window.

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, Subject};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "The budgets of providers in the configuration file, with what is spent of them";
    vec![Route::question("/provider/budgets", Audience::Admins, (about, &[]), budgets)]
}

async fn budgets(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let (snapshot, now) = (desk.configuration.snapshot(), desk.clock.now());
    let mut providers = Map::new();
    for (name, limits) in &snapshot.settings.budgets.providers {
        let level = desk.keys.fixed(&Subject::new(Level::Provider, name), limits).await;
        let level = level.map_err(|problem| problem::store(&problem))?;
        let bound = limits.whole.money.first();
        let calendar = desk.keys.calendar();
        let period = bound.and_then(|bound| bound.period).map(|period| period.to_string());
        let shown = json!({
            "budget_limit": bound.and_then(|bound| bound.cap),
            "time_period": period,
            "spend": level.spent(calendar, now),
            "budget_reset_at": level.resets_at(calendar, now).map(|at| at.to_string()),
        });
        providers.insert(name.to_string(), shown);
    }
    Ok(json!({ "providers": providers }))
}
