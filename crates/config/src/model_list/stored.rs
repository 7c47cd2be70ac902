//! The deployments of a database: compiled like entries of the file, but none can break it.

use serde_json::Value as Json;

use super::{Building, Context, entry};
use crate::diagnostic::{Finding, Severity};
use crate::environment::{is_own, reference};
use crate::stored::{LeftOut, StoredDeployment};
use crate::yaml::{Entry, Mapping, Node, Value};

/// Compiles a row and adds what it stands for. What is wrong with it is not a finding of the file:
/// it is left out, and why is said beside.
pub(super) fn add(cx: &mut Context<'_, '_>, row: &StoredDeployment, building: &mut Building) {
    if cx.identities.has(row.id.as_str()) {
        let problem = "a deployment of the configuration file has this id, and is used";
        building.groups.left_out.push(left_out(row, problem.to_owned(), false));
        return;
    }
    if let Some(name) = row.params.values().find_map(own_variable) {
        let problem =
            format!("`os.environ/{name}` is the gateway's own and is given to no provider");
        building.groups.left_out.push(left_out(row, problem, false));
        return;
    }
    let before = std::mem::take(&mut cx.reader.findings);
    let made = entry::compile(cx, &node(row));
    let found = std::mem::replace(&mut cx.reader.findings, before);
    let (wrong, lacking) = (texts(&found, Severity::Error), texts(&found, Severity::Note));
    let placed = if wrong.is_empty() { made.placed } else { Vec::new() };
    let is_lacking = wrong.is_empty();
    let why = if is_lacking { lacking } else { wrong }.join("; ");
    if placed.is_empty() {
        building.groups.left_out.push(left_out(row, why.clone(), is_lacking));
    }
    let made = entry::Made { placed, ..made };
    building.put(made, (Some(why), texts(&found, Severity::Warning)), true);
}

/// A variable of the gateway's own that a value refers to, at any depth.
fn own_variable(value: &Json) -> Option<&str> {
    match value {
        Json::String(text) => reference(text).filter(|name| is_own(name)),
        Json::Array(items) => items.iter().find_map(own_variable),
        Json::Object(fields) => fields.values().find_map(own_variable),
        _ => None,
    }
}

fn left_out(row: &StoredDeployment, problem: String, lacking: bool) -> LeftOut {
    LeftOut { noun: "deployment", id: row.id.to_string(), problem, lacking }
}

/// The findings of a severity, each with its next step.
fn texts(found: &[Finding], severity: Severity) -> Vec<String> {
    let of_severity = found.iter().filter(|finding| finding.severity == severity);
    let text = |finding: &Finding| match &finding.help {
        Some(help) => format!("{} ({help})", finding.message),
        None => finding.message.clone(),
    };
    of_severity.map(text).collect()
}

/// The row as an entry of `model_list`.
fn node(row: &StoredDeployment) -> Node {
    let text = |text: &str| Node { span: 0..0, value: Value::Text(text.into()) };
    let map = |mapping| Node { span: 0..0, value: Value::Map(mapping) };
    let mut info = Mapping::of_json(&row.info);
    info.entries.retain(|entry| !matches!(&*entry.name, "id" | "blocked"));
    info.entries.push(Entry::placeless("id", text(row.id.as_str())));
    let blocked = Node { span: 0..0, value: Value::Bool(row.blocked) };
    info.entries.push(Entry::placeless("blocked", blocked));
    map(Mapping {
        entries: vec![
            Entry::placeless("model_name", text(row.model_name.as_str())),
            Entry::placeless("litellm_params", map(Mapping::of_json(&row.params))),
            Entry::placeless("model_info", map(info)),
        ],
    })
}
