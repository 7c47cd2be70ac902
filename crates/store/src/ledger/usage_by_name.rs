//! A usage in the spool: an object of kinds' names and thousandths, so that a spool outlives the
//! program that wrote it and knew other kinds.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serializer};
use tollgate_domain::{Quantity, Usage, UsageKind};

pub(super) fn serialize<S: Serializer>(usage: &Usage, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(usage.known().map(|(kind, quantity)| (kind.as_str(), quantity.milli())))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Usage, D::Error> {
    let by_name = BTreeMap::<String, u64>::deserialize(from)?;
    let known = UsageKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, Quantity::from_milli(*by_name.get(kind.as_str())?))));
    Ok(known.fold(Usage::UNKNOWN, |usage, (kind, quantity)| usage.with(kind, quantity)))
}
