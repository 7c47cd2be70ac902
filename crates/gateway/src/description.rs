//! The description of every route: the rows of both routers, put together.

use serde_json::{Value, json};
use tollgate_admin::Pages;
use tollgate_admin::openapi::{CALLER, Extra, Operation, Part, Place, Taken, document};
use tollgate_faults::Reason;
use tollgate_proxy::surface::{Access, Described, Holds, Told};

use crate::environment;

/// The version that the description is of.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every operation, those of the data path first.
pub(crate) fn operations() -> Vec<Operation> {
    let calls = tollgate_proxy::surface::routes();
    let management = tollgate_admin::routes();
    calls.iter().map(of_call).chain(management.iter().map(Operation::from)).collect()
}

/// The OpenAPI document.
pub(crate) fn openapi() -> Value {
    document(VERSION, &operations())
}

/// The description as it is served, less what the environment switches off, as in LiteLLM.
pub(crate) fn pages() -> Pages {
    let off = |name| environment::first(&[name]).is_some_and(|on| on.eq_ignore_ascii_case("true"));
    let mut pages = Pages::of(VERSION, operations);
    if off("NO_OPENAPI") {
        pages = pages.without_openapi();
    }
    if off("NO_DOCS") {
        pages = pages.without_reference();
    }
    pages
}

/// A route of the data path.
fn of_call(row: &Described) -> Operation {
    let has_body = !row.says.body.is_empty();
    let path = row.path.replace("{*", "{");
    let named = named(&path).into_iter().map(parameter);
    let schema = |media: &str| {
        if media == "application/json" { json!({}) } else { json!({ "type": "string" }) }
    };
    Operation {
        method: row.method,
        family: row.says.family,
        about: row.says.about,
        audience: format!("{:?}", row.access),
        who: who(row.access),
        needs_key: row.access != Access::Anyone,
        manages: false,
        parts: named.chain(row.says.body.iter().map(part)).collect(),
        not_yet: Vec::new(),
        has_body,
        extra: Extra::Kept,
        answers: row.says.media.iter().map(|media| (*media, schema(media))).collect(),
        also: row.says.also,
        told: None,
        dialect: row.says.dialect,
        reasons: reasons(row),
        deviations: &[],
        relays_statuses: row.says.calls,
        path,
    }
}

/// The parameters in a path of the data path.
fn named(path: &str) -> Vec<&'static str> {
    PARAMETERS
        .into_iter()
        .filter(|(name, _)| path.contains(&format!("{{{name}}}")))
        .map(|(name, _)| name)
        .collect()
}

fn parameter(name: &'static str) -> Part {
    let about = PARAMETERS.iter().find(|(known, _)| *known == name).map_or("", |(_, about)| about);
    Part { name, place: Place::Path, required: true, about, taken: taken(Holds::Text) }
}

/// The parameters that paths of the data path have.
const PARAMETERS: [(&str, &str); 4] = [
    ("id", "The answer"),
    ("model", "The model group, slashes and all"),
    ("operation", "The model and the operation, `{model}:generateContent`"),
    ("slug", "The reason"),
];

fn part(told: &Told) -> Part {
    let Told { name, holds, required, about } = *told;
    Part { name, place: Place::Body, required, about, taken: taken(holds) }
}

fn taken(holds: Holds) -> Taken {
    let (schema, word) = match holds {
        Holds::Text => (json!({ "type": "string" }), "text"),
        Holds::Flag => (json!({ "type": "boolean" }), "true or false"),
        Holds::Count => (json!({ "type": "integer", "minimum": 0 }), "a whole number"),
        Holds::List => (json!({ "type": "array" }), "a list"),
        Holds::TextOrList => (json!({ "type": ["string", "array"] }), "text or a list"),
        Holds::Object => (json!({ "type": "object" }), "an object"),
    };
    Taken { schema, word: word.to_owned() }
}

const fn who(access: Access) -> &'static str {
    match access {
        Access::Anyone => "everybody, without a key",
        Access::Key => "every key",
        Access::Master => "the master key, unless the operator opens it",
    }
}

/// Why a route of the data path may refuse. What a provider is called for may fail for every reason
/// but those of management; the rest is about the caller and what they name.
fn reasons(row: &Described) -> Vec<Reason> {
    let about_calls = |reason: &Reason| !MANAGEMENT.contains(reason) && *reason != CLIENT_LEFT;
    let about_questions = |reason: &Reason| match row.access {
        Access::Anyone => *reason == Reason::GatewayBug,
        Access::Key => CALLER.contains(reason) || QUESTIONS.contains(reason),
        Access::Master => {
            let forbidden = *reason == Reason::ManagementForbidden;
            forbidden || CALLER.contains(reason) || QUESTIONS.contains(reason)
        }
    };
    let mut reasons = Reason::ALL.to_vec();
    reasons.retain(
        |reason| {
            if row.says.calls { about_calls(reason) } else { about_questions(reason) }
        },
    );
    reasons
}

/// Nobody is left to be told.
const CLIENT_LEFT: Reason = Reason::ClientDisconnected;
/// Reasons that only management has.
const MANAGEMENT: [Reason; 6] = [
    Reason::ExceedsGrant,
    Reason::ManagementForbidden,
    Reason::KeyNotFound,
    Reason::KeyAliasTaken,
    Reason::EntityNotFound,
    Reason::EntityExists,
];
/// Reasons that a question about the gateway may be refused for, beside those of the caller.
const QUESTIONS: [Reason; 12] = [
    Reason::RouteNotAllowed,
    Reason::BodyMalformed,
    Reason::BodyTooLarge,
    Reason::FieldMissing,
    Reason::FieldWrongType,
    Reason::FieldOutOfRange,
    Reason::ModelUnknown,
    Reason::ResponseNotFound,
    Reason::WebsocketUnsupported,
    Reason::StoreUnavailable,
    Reason::ClientTooSlow,
    Reason::GatewayBug,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_document_in_the_reference_is_this_one() {
        let mut text = serde_json::to_string_pretty(&openapi()).expect("JSON");
        text.push('\n');
        expect_file!["../../../docs/reference/openapi.json"].assert_eq(&text);
    }

    #[test]
    fn every_route_of_both_routers_is_described_once() {
        let operations = operations();
        let ids: BTreeSet<String> = operations.iter().map(Operation::id).collect();
        assert_eq!(ids.len(), operations.len());
        for operation in &operations {
            let named = operation.parts.iter().filter(|part| part.place == Place::Path).count();
            assert_eq!(named, operation.path.matches('{').count(), "{}", operation.path);
            assert!(!operation.about.is_empty(), "{}", operation.path);
        }
    }
}
