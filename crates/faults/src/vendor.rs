//! A provider's own error body, relayed with our facts added and every other value as it came.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The body with `gateway` added to its `error` object, or `None` when the body is no JSON object
/// with such an object in it or is too long to relay. A `gateway` that the provider sent itself
/// is dropped: it would pass for ours.
pub(crate) fn relay(body: &str, gateway: &impl Serialize) -> Option<String> {
    if body.len() > BODY_BYTES_MAX {
        return None;
    }
    let outer: Members<'_> = serde_json::from_str(body).ok()?;
    // The last of several equal names is the one that counts to readers.
    let at = outer.0.iter().rposition(|(name, _)| name == "error")?;
    let error: Members<'_> = serde_json::from_str(outer.0.get(at)?.1.get()).ok()?;
    serde_json::to_string(&Relayed { outer: &outer, at, error: Told { error: &error, gateway } })
        .ok()
}

/// The members of a JSON object in their order, each value as its own text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// The outer object, with the member at `at` replaced.
struct Relayed<'a, G> {
    outer: &'a Members<'a>,
    at: usize,
    error: Told<'a, G>,
}

impl<G: Serialize> Serialize for Relayed<'_, G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.outer.0.len()))?;
        for (at, (name, value)) in self.outer.0.iter().enumerate() {
            if at == self.at {
                map.serialize_entry(name, &self.error)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// The error object, with our facts as its last member.
struct Told<'a, G> {
    error: &'a Members<'a>,
    gateway: &'a G,
}

impl<G: Serialize> Serialize for Told<'_, G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.error.0.iter().filter(|(name, _)| name != "gateway") {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("gateway", self.gateway)?;
        map.end()
    }
}

/// Longest vendor body that is relayed, in bytes; a longer one is quoted and cut.
const BODY_BYTES_MAX: usize = 64 * 1024;
