//! The description of every route, as it is served and as it is printed.

use serde_json::Value;
use tokio::process::Command;
use tollgate_simulator::Script;
use tollgate_testkit::config_text::ConfigText;

use super::commands::run;
use crate::stage::{GROUP, Stage, Storage, binary};

#[tokio::test]
async fn the_description_is_served_to_everybody_and_is_what_the_program_prints() {
    let stage = Stage::new().await;
    let anybody = stage.gateway.anonymous();
    let served = anybody.get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    let mut command = Command::new(binary());
    command.env_clear().arg("openapi");
    let printed = run(command, "").await;
    assert_eq!(printed.status, Some(0), "{}", printed.errors);
    let printed: Value = serde_json::from_str(&printed.output).expect("JSON");
    assert_eq!(served.ok(), printed);

    let page = anybody.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let operations = printed["paths"].as_object().expect("paths").values();
    let operations = operations.flat_map(|path| path.as_object().expect("methods").values());
    for operation in operations {
        let id = operation["operationId"].as_str().expect("a name");
        assert!(page.text().contains(&format!("id=\"{id}\"")), "{id} is not on the page");
    }
}

#[tokio::test]
async fn what_the_operator_switches_off_is_not_there() {
    let config = |simulator: &_| ConfigText::simulated(GROUP, simulator);
    let off = Stage::with(Storage::Sqlite, Script::default(), config, |home| {
        home.with_env("NO_OPENAPI", "True").with_env("NO_DOCS", "True")
    });
    let stage = off.await;
    for path in ["/openapi.json", "/docs"] {
        let answer = stage.gateway.master().get(path).await;
        assert_eq!(answer.refusal(), (404, "route_unknown".to_owned()), "{path}");
    }
}
