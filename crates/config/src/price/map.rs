//! The price list as LiteLLM's price map, for programs that read prices.

use serde_json::{Map, Value as Json};

use super::shown::price_fields;
use crate::Snapshot;

impl Snapshot {
    /// The prices and limits in force of every model of the price list, by its name there, in the
    /// fields of LiteLLM's price map. Entries of the configuration file are not among them.
    #[must_use]
    pub fn cost_map(&self) -> Map<String, Json> {
        let mut map = Map::new();
        let mut last = "";
        for name in self.prices.names() {
            // A name has a row for each day on which its price changed.
            if name == last {
                continue;
            }
            last = name;
            let Some(model) = self.prices.find(&[name]) else { continue };
            let mut fields = price_fields(&model.sheet);
            let facts = [
                ("litellm_provider", Some(Json::from(&*model.provider))),
                ("mode", model.mode.as_deref().map(Json::from)),
                ("max_input_tokens", model.max_input.map(Json::from)),
                ("max_output_tokens", model.limits.max_output.map(Json::from)),
            ];
            let known = facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?)));
            fields.extend(known);
            map.insert(name.to_owned(), Json::Object(fields));
        }
        map
    }
}
