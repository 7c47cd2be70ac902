//! The rules of a key for its calls: its own names of models and those of its team, and fields that
//! a body must have.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tollgate_domain::{Level, ModelName};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::LevelRecord;
use tollgate_wire::json::Object;
use tollgate_wire::translate::ClientRequest;

use crate::authenticate::Caller;
use crate::ingress::Call;

/// Where a team's metadata has its names of models, as in LiteLLM's `model_aliases`.
const OF_TEAM: &str = "model_aliases";

/// A name that a team or a key has for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    /// The name.
    pub(crate) name: ModelName,
    /// Whether it is the team's alone: the team grants what it has named.
    pub(crate) of_team: bool,
}

/// The call as its key's rules have it: a name that its team or its key has for a model is replaced
/// before anybody asks whether the model is granted (runtime-semantics of LiteLLM, model
/// precedence).
///
/// # Errors
/// Refused when the body lacks a field that the key enforces.
pub(crate) fn by_rules(caller: &Caller, mut call: Call) -> Result<Call, Refusal> {
    let Caller::Key { record, .. } = caller else { return Ok(call) };
    let enforced = record.rules().map_or(&[][..], |rules| &rules.enforced_params);
    if let Some(missing) = enforced.iter().find(|name| !has(&call.request, name)) {
        let message = format!("the key asks for the field `{missing}` in every call");
        return Err(Refusal::new(Reason::FieldMissing, message).with_param(missing.as_str()));
    }
    if let Some(Meant { model, of_team }) = meant(caller, call.request.asked.model.as_str()) {
        let name = std::mem::replace(&mut call.request.asked.model, model);
        call.alias = Some(Alias { name, of_team });
    }
    Ok(call)
}

/// What a caller means by a name that is not the model's own.
pub(crate) struct Meant {
    /// The model.
    pub(crate) model: ModelName,
    /// Whether the name is the team's alone: the team grants what it has named.
    pub(crate) of_team: bool,
}

/// The model that the caller's team or key has this name for. The key's own names come after the
/// team's, so that a key can have another name for what its team has named.
pub(crate) fn meant(caller: &Caller, name: &str) -> Option<Meant> {
    let of_team = of_team(caller.levels()).and_then(|named| named.get(name)?.as_str());
    let of_key = of_key(caller).and_then(|named| named.get(of_team.unwrap_or(name)));
    let model = ModelName::new(of_key.map(String::as_str).or(of_team)?).ok()?;
    Some(Meant { model, of_team: of_key.is_none() })
}

/// Every name that the caller's team and key have for models.
pub(crate) fn own_names(caller: &Caller) -> impl Iterator<Item = &str> {
    let of_team = of_team(caller.levels()).into_iter().flat_map(|named| named.keys());
    let of_key = of_key(caller).into_iter().flat_map(|named| named.keys());
    of_team.chain(of_key).map(String::as_str)
}

fn of_team(levels: &[Arc<LevelRecord>]) -> Option<&Map<String, Json>> {
    let team = levels.iter().find(|level| level.subject.level == Level::Team)?;
    team.metadata(OF_TEAM)?.as_object()
}

fn of_key(caller: &Caller) -> Option<&BTreeMap<String, String>> {
    match caller {
        Caller::Master => None,
        Caller::Key { record, .. } => record.rules().map(|rules| &rules.aliases),
    }
}

/// Whether a body has a field, or a member of one.
fn has(request: &ClientRequest, name: &str) -> bool {
    if request.layout.span(name).is_some() {
        return true;
    }
    let Some((outer, inner)) = name.split_once('.') else { return false };
    let Some(body) = request.layout.span(outer).and_then(|span| request.body.get(span)) else {
        return false;
    };
    Object::scan(body).is_ok_and(|object| object.find(inner).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tollgate_wire::translate::{ClientFormat, PathSays};

    #[test]
    fn a_field_may_be_a_member_of_another() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "metadata":{"ticket":null},"user":"u"}"#;
        let body = Bytes::from_static(body.as_bytes());
        let request = ClientRequest::read(ClientFormat::OpenAiChat, &body, PathSays::default());
        let request = request.expect("a request");
        for (name, found) in [
            ("user", true),
            ("metadata", true),
            ("metadata.ticket", true),
            ("metadata.other", false),
            ("user.name", false),
            ("seed", false),
            ("seed.", false),
        ] {
            assert_eq!(has(&request, name), found, "{name}");
        }
    }
}
