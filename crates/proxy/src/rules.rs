//! The rules of a key for its calls: its own names of models, and fields that a body must have.

use tollgate_domain::ModelName;
use tollgate_faults::{Reason, Refusal};
use tollgate_wire::json::Object;
use tollgate_wire::translate::ClientRequest;

use crate::authenticate::Caller;
use crate::ingress::Call;

/// The call as its key's rules have it: a name that the key has for a model is replaced before
/// anybody asks whether the model is granted (runtime-semantics of LiteLLM, model precedence).
///
/// # Errors
/// Refused when the body lacks a field that the key enforces.
pub(crate) fn by_rules(caller: &Caller, mut call: Call) -> Result<Call, Refusal> {
    let Caller::Key { record, .. } = caller else { return Ok(call) };
    let Some(rules) = record.rules() else { return Ok(call) };
    if let Some(missing) = rules.enforced_params.iter().find(|name| !has(&call.request, name)) {
        let message = format!("the key asks for the field `{missing}` in every call");
        return Err(Refusal::new(Reason::FieldMissing, message).with_param(missing.as_str()));
    }
    let target = rules.aliases.get(call.request.asked.model.as_str());
    if let Some(target) = target.and_then(|target| ModelName::new(target).ok()) {
        call.request.asked.model = target;
    }
    Ok(call)
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
