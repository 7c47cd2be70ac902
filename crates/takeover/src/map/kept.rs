//! What nothing here acts on yet: kept beside the row, so that it is not lost, and said to be so.

use serde_json::{Map, Value};

use crate::grade::Marks;
use crate::source::{Row, says_something};

/// The name in the metadata under which it is kept.
pub(super) const KEPT: &str = "litellm";

/// Keeps columns in the metadata, each with a remark, and remarks those that nobody knows.
pub(super) fn keep(
    row: &Row,
    (without_effect, known): (&[&str], &[&str]),
    metadata: &mut Map<String, Value>,
    marks: &mut Marks,
) {
    let mut kept = Map::new();
    for (name, value) in row.filled() {
        if known.contains(&name) {
            continue;
        }
        kept.insert(name.to_owned(), value.clone());
        marks.unsupported(if without_effect.contains(&name) {
            format!("`{name}` has no effect here; it is kept in the metadata under `{KEPT}`")
        } else {
            format!("`{name}` is a column that nobody knows here; it is kept under `{KEPT}`")
        });
    }
    if !kept.is_empty() {
        metadata.insert(KEPT.to_owned(), Value::Object(kept));
    }
}

/// Remarks names in the metadata that mean something to LiteLLM and nothing here (management-api
/// §0). They stay where they are.
pub(super) fn remark_metadata(metadata: &Map<String, Value>, marks: &mut Marks) {
    for name in WITHOUT_EFFECT {
        if metadata.get(name).is_some_and(says_something) {
            marks.unsupported(format!("`metadata.{name}` has no effect here"));
        }
    }
}

const WITHOUT_EFFECT: [&str; 22] = [
    "model_itpm_limit",
    "model_otpm_limit",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "mcp_rpm_limit",
    "tag_rpm_limit",
    "rpm_limit_type",
    "tpm_limit_type",
    "enforced_params",
    "allowed_vector_store_indexes",
    "enforced_batch_output_expires_after",
    "enforced_file_expires_after",
    "throttle_on_budget_exceeded",
    "enable_prompt_caching",
    "disable_global_guardrails",
    "guardrails",
    "policies",
    "team_member_key_duration",
    "prompts",
    "logging",
    "secret_manager_settings",
    "allowed_passthrough_routes",
];
