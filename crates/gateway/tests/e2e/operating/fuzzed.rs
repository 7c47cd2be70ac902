//! The management API under schemathesis, which makes requests of its description: right ones, and
//! ones that break each rule in turn.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;
use tollgate_testkit::patience::within;

use crate::clients::{must_be_installed, root};
use crate::stage::Stage;

/// How long a run may take on a busy machine; alone it takes half a minute.
const RUN_MAX: Duration = Duration::from_secs(210);
/// What no request may bring about: a failure, a status that is not described, an answer of another
/// form, and success for what the description rules out.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,negative_data_rejection";
/// Second names of routes, whose handlers are those of the first, the pages for everybody, and the
/// routes of a cache that is not there, whose 503 is LiteLLM's.
const LEFT_OUT: &str =
    "^/end_user/|^/(team|tag|customer)/daily/|/aggregated$|^/openapi.json$|^/docs$|^/$|^/cache/";

#[tokio::test]
async fn an_administrator_s_requests_fail_only_as_described() {
    let stage = Stage::new().await;
    fuzz(&stage, stage.gateway.master_key(), "coverage,fuzzing", 5).await;
}

#[tokio::test]
async fn an_internal_user_s_requests_fail_only_as_described() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let made = json!({ "user_id": "lead", "user_role": "internal_user" });
    let made = master.post("/user/new", made.to_string()).await.ok();
    let members = json!([{ "user_id": "lead", "role": "admin" }]);
    let team = json!({ "team_id": "loom", "members_with_roles": members });
    master.post("/team/new", team.to_string()).await.ok();
    fuzz(&stage, made["key"].as_str().expect("a key"), "fuzzing", 5).await;
}

/// Runs schemathesis with this key; the same seed gives the same requests. It has one worker: what
/// it generates with races between several.
async fn fuzz(stage: &Stage, key: &str, phases: &str, examples: u32) {
    let program = root().join(".venv/bin/schemathesis");
    must_be_installed(&program, "tools/setup-clients");
    let folder = tempfile::tempdir().expect("a folder for what it writes");
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(format!("{}/openapi.json", stage.gateway.base_url()))
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--phases", phases, "--max-examples", &examples.to_string()])
        .args(["--checks", CHECKS, "--seed", "1", "--workers", "1", "--no-color"])
        .args(["--generation-database", "none", "--warnings", "off", "--continue-on-failure"])
        .args(["--include-path-regex", &managed(), "--exclude-path-regex", LEFT_OUT])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ran = within(RUN_MAX, "schemathesis", command.output()).await.expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("No issues found"), "nothing was tested:\n{said}");
    let log = stage.gateway.output();
    assert!(!log.contains("panicked"), "{log}");
}

/// The paths of the management API.
fn managed() -> String {
    let rows = tollgate_admin::routes();
    let paths: Vec<String> =
        rows.iter().map(|row| row.path.replace('{', "\\{").replace('}', "\\}")).collect();
    format!("^({})$", paths.join("|"))
}
