//! What a caller's key and team are granted in the queues, from their metadata.
//!
//! `queue_weight` is a share, 1 where nobody says. `allow_client_priority: true` lets the key's
//! clients name a `priority` for their calls, within `priority_range: [lowest, highest]`. Only who
//! manages a key writes its metadata.

use serde_json::Value;
use tollgate_domain::Level;
use tollgate_policy::{PriorityRange, Weight};
use tollgate_store::LevelRecord;

use crate::authenticate::Caller;
use crate::queue::Standing;

/// The caller's standing.
pub(crate) fn standing(caller: &Caller) -> Standing {
    let Caller::Key { record, levels } = caller else { return Standing::default() };
    let team = levels.iter().find(|level| level.subject.level == Level::Team);
    Standing {
        team: team.map(|team| weight(team)).unwrap_or_default(),
        key: weight(&record.own),
        priorities: priorities(&record.own),
    }
}

fn weight(level: &LevelRecord) -> Weight {
    let weight = level.metadata("queue_weight").and_then(Value::as_f64);
    let milli = weight.filter(|weight| *weight > 0.0).map(|weight| (weight * 1000.0).round());
    // A number that is too large for the type is the largest share there is.
    milli.map_or_else(Weight::default, |milli| {
        Weight::from_milli(format!("{milli}").parse().unwrap_or(u32::MAX))
    })
}

fn priorities(level: &LevelRecord) -> Option<PriorityRange> {
    level.metadata("allow_client_priority").filter(|allowed| **allowed == Value::Bool(true))?;
    let bounds = level.metadata("priority_range")?.as_array()?;
    let [lowest, highest] = bounds.as_slice() else { return None };
    let number = |value: &Value| i32::try_from(value.as_i64()?).ok();
    let (min, max) = (number(lowest)?, number(highest)?);
    (min <= max).then_some(PriorityRange { min, max })
}
