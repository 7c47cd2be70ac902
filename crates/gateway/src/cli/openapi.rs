//! `tollgate openapi`: the description of every route.

use crate::description;

/// Prints the OpenAPI document.
#[expect(clippy::print_stdout, reason = "the document is this command's output")]
pub(super) fn run() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&description::openapi())?);
    Ok(())
}
