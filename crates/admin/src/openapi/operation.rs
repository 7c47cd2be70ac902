//! One operation: a row of a router as the description needs it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_faults::{Dialect, Reason, Refusal, render};
use tollgate_policy::Audience;

use super::schema::{Taken, taken};
use super::told;
use crate::answer::{Answer, Told};
use crate::route::Described;
use crate::shape::{Field, Kind};

/// One operation of the description.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its method.
    pub method: &'static str,
    /// Its path, with its parameters in braces.
    pub path: String,
    /// What it belongs to.
    pub family: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Whom it is for, in a word.
    pub audience: String,
    /// Whom it is for, in a sentence.
    pub who: &'static str,
    /// Whether a key has to be sent.
    pub needs_key: bool,
    /// Whether it is of the management API.
    pub manages: bool,
    /// What it takes.
    pub parts: Vec<Part>,
    /// Fields of the body that are refused unless they ask for nothing.
    pub not_yet: Vec<&'static str>,
    /// Whether it has a body.
    pub has_body: bool,
    /// What becomes of fields that are not described.
    pub extra: Extra,
    /// What it answers with: media types and their schemas.
    pub answers: Vec<(&'static str, Value)>,
    /// Statuses beside 200 that are no refusals, and what they say.
    pub also: &'static [(u16, &'static str)],
    /// The record that its answers tell of.
    pub told: Option<&'static Told>,
    /// Whose error bodies it answers with.
    pub dialect: Dialect,
    /// Why it may refuse.
    pub reasons: Vec<Reason>,
    /// Reasons that it refuses for with a status of its own.
    pub deviations: &'static [(Reason, u16)],
    /// Whether it may also answer with a provider's own status.
    pub relays_statuses: bool,
}

/// What becomes of fields that are not described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// They are refused by name.
    Refused,
    /// They are kept.
    Kept,
}

/// Where a part of a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the body.
    Body,
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether the request has to have it.
    pub required: bool,
    /// What it means, in one sentence.
    pub about: &'static str,
    /// What it takes.
    pub taken: Taken,
}

impl Operation {
    /// Its stable name: the method and the words of the path.
    #[must_use]
    pub fn id(&self) -> String {
        let words = self.path.split('/').filter(|word| !word.is_empty()).map(|word| {
            let parameter = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
            let parameter = parameter.map(|name| name.trim_start_matches('*'));
            parameter.map_or_else(|| word.replace(['-', '.'], "_"), |name| format!("by_{name}"))
        });
        let words: Vec<String> = words.collect();
        format!("{}_{}", self.method.to_ascii_lowercase(), words.join("_"))
    }

    /// The statuses that it may refuse with, each with its reasons.
    #[must_use]
    pub fn refused_with(&self) -> BTreeMap<u16, Vec<Reason>> {
        let mut refused: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
        let usual = self.reasons.iter().map(|reason| {
            (*reason, render(&Refusal::new(*reason, ""), self.dialect, "", "").status)
        });
        for (reason, status) in usual.chain(self.deviations.iter().copied()) {
            refused.entry(status).or_default().push(reason);
        }
        refused
    }
}

impl From<&Described> for Operation {
    fn from(row: &Described) -> Self {
        let needs_key = row.audience != Audience::Anyone;
        let not_yet = if row.has_body { row.takes.not_yet.clone() } else { Vec::new() };
        Self {
            method: row.method,
            path: row.path.to_owned(),
            family: row.family(),
            about: row.about,
            audience: format!("{:?}", row.audience),
            who: who(row.audience),
            needs_key,
            manages: true,
            parts: row.takes.fields.iter().map(|field| part(row, field)).collect(),
            not_yet,
            has_body: row.has_body,
            extra: Extra::Refused,
            answers: answers(row.answer),
            also: &[],
            told: row.answer.told(),
            dialect: Dialect::OpenAi,
            reasons: reasons(row),
            deviations: row.deviations,
            relays_statuses: false,
        }
    }
}

fn part(row: &Described, field: &Field) -> Part {
    let place = if row.names_in_path(field.name) {
        Place::Path
    } else if row.has_body {
        Place::Body
    } else {
        Place::Query
    };
    let Field { name, kind, required, about, .. } = *field;
    let mut taken = taken(kind);
    if place == Place::Query && kind == Kind::Text {
        // Lists stand in queries too; what limits them is the head of the request.
        taken.schema = json!({ "type": "string" });
    }
    if place == Place::Query && kind == Kind::Instant {
        // A name without a value counts as absent.
        let empty = json!({ "type": "string", "maxLength": 0 });
        taken.schema = json!({ "anyOf": [taken.schema, empty] });
    }
    Part { name, place, required, about, taken }
}

/// Whom a route is for, in a sentence.
const fn who(audience: Audience) -> &'static str {
    match audience {
        Audience::Anyone => "everybody, without a key",
        Audience::Keys => "every key, about what it may see",
        Audience::Managers => "whoever manages something, such as a team or keys of their own",
        Audience::OrganizationAdmins => "administrators of organizations and of the gateway",
        Audience::SpendViewers => {
            "administrators of the gateway, and keys that may see what everybody spent"
        }
        Audience::Admins => "administrators of the gateway",
    }
}

fn answers(answer: Answer) -> Vec<(&'static str, Value)> {
    const JSON: &str = "application/json";
    vec![match answer {
        Answer::Any => (JSON, json!({})),
        Answer::Count => (JSON, json!({ "type": "integer", "minimum": 0 })),
        Answer::One(told) => (JSON, told::link(told)),
        Answer::List(told) => (JSON, json!({ "type": "array", "items": told::link(told) })),
        Answer::Each(told) => {
            (JSON, json!({ "type": "object", "additionalProperties": told::link(told) }))
        }
        Answer::Html => ("text/html", json!({ "type": "string" })),
    }]
}

/// Why a management route may refuse, by what it takes.
fn reasons(row: &Described) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if row.audience != Audience::Anyone {
        reasons.extend(CALLER);
        reasons.extend([Reason::ManagementForbidden, Reason::ExceedsGrant]);
        reasons.push(Reason::StoreUnavailable);
        reasons.extend(READING);
    }
    if !row.takes.fields.is_empty() {
        reasons.extend(TAKING);
        reasons.extend([Reason::KeyNotFound, Reason::EntityNotFound]);
    }
    if row.has_body {
        reasons.extend([Reason::BodyTooLarge, Reason::KeyAliasTaken, Reason::EntityExists]);
    }
    reasons.push(Reason::GatewayBug);
    reasons
}

/// Why a caller may be refused before anything else.
pub const CALLER: [Reason; 7] = [
    Reason::KeyMissing,
    Reason::KeyMalformed,
    Reason::KeyUnknown,
    Reason::KeyExpired,
    Reason::KeyBlocked,
    Reason::TeamBlocked,
    Reason::UserBlocked,
];
/// Why a request may be refused that cannot be read, even where nothing is asked for.
const READING: [Reason; 2] = [Reason::BodyMalformed, Reason::ParameterUnsupported];
/// Why a part of a request may be refused.
const TAKING: [Reason; 3] = [Reason::FieldMissing, Reason::FieldWrongType, Reason::FieldOutOfRange];
