//! Deployment ids: the operator's, or one that stays the same as long as the entry does.
//!
//! An id is made of the model name and the parameters as they are written: variables unresolved,
//! credentials left out. So it is the same on every machine, it survives the rotation of a key, and
//! nothing about a key can be learned from it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tollgate_domain::DeploymentId;

use crate::diagnostic::{Finding, code};
use crate::schema::{Reader, quoted};
use crate::yaml::{Entry, Mapping, Node, Span, Value};

/// The ids given so far.
#[derive(Debug, Default)]
pub(super) struct Identities {
    taken: BTreeMap<String, Span>,
    /// How often each content has come.
    seen: BTreeMap<String, usize>,
}

impl Identities {
    /// The id of an entry: `model_info.id`, else one made of its content.
    pub(super) fn give(
        &mut self,
        reader: &mut Reader<'_>,
        own: Option<&Entry>,
        content: (&str, &Mapping),
    ) -> Option<DeploymentId> {
        // Counted in any case: the ordinals of the others do not depend on who has an id.
        let of_content = self.of_content(content.0, content.1);
        let own = own.and_then(|entry| Some((entry, reader.text(entry)?)));
        let Some((entry, text)) = own else {
            self.taken.entry(of_content.clone()).or_insert(content.1.span());
            return DeploymentId::new(&of_content).ok();
        };
        let span = entry.node.span.clone();
        if let Some(first) = self.taken.insert(text.clone(), span.clone()) {
            let message = format!("the deployment id `{text}` is given twice");
            let finding = Finding::error(code::DUPLICATE_ID, span, message);
            reader.findings.push(finding.with_first(first));
            return None;
        }
        match DeploymentId::new(&text) {
            Ok(id) => Some(id),
            Err(problem) => {
                reader.findings.push(Finding::error(code::MALFORMED, span, problem.to_string()));
                None
            }
        }
    }

    /// Whether an entry has this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.taken.contains_key(id)
    }

    /// The hash of a content, and its ordinal where the same content has come before.
    fn of_content(&mut self, model_name: &str, params: &Mapping) -> String {
        let mut text = quoted(model_name);
        for entry in params.entries.iter().filter(|entry| !is_credential(&entry.name)) {
            text.push_str(&quoted(&entry.name));
            written(&mut text, &entry.node);
        }
        let hash = hex(&Sha256::digest(text));
        let count = self.seen.entry(hash.clone()).or_default();
        *count += 1;
        if *count == 1 { hash } else { format!("{hash}-{count}") }
    }
}

/// The first twelve hexadecimal digits of a text's hash.
pub(super) fn short_hash(text: &str) -> String {
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(12);
    hash
}

/// Whether a parameter's name says that its value is, or may hold, a credential.
pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let parts = ["key", "token", "secret", "password", "credential", "headers", "username"];
    parts.iter().any(|part| name.contains(part))
        && !name.contains("cost")
        && !name.starts_with("max_")
}

/// A value as it is written, unambiguously; references to variables stay references.
fn written(text: &mut String, node: &Node) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.json),
        Value::Text(value) => text.push_str(&quoted(value)),
        Value::List(items) => {
            text.push('[');
            items.iter().for_each(|item| written(text, item));
            text.push(']');
        }
        Value::Map(map) => {
            text.push('{');
            for entry in &map.entries {
                text.push_str(&quoted(&entry.name));
                written(text, &entry.node);
            }
            text.push('}');
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
