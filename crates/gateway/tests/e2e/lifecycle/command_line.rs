//! The command line's exit statuses and what it says.

use std::process::Output;

use tokio::process::Command;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::http::Client;
use tollgate_testkit::patience::eventually;
use tollgate_testkit::program::Program;

use crate::stage::{CHAT, Stage, binary};

const RIGHT: &str = "model_list:
  - model_name: chat
    litellm_params:
      model: openai_like/m
      api_base: http://127.0.0.1:9/v1
      api_key: sk-upstream
";

pub(super) async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    let ran = eventually("the command's end", command.env_clear().args(arguments).output()).await;
    let Output { status, stdout, stderr } = ran.expect("the program runs");
    let text = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    (status.code(), text.into_owned())
}

#[tokio::test]
async fn the_version_is_the_packages() {
    let version = concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["--version"]).await, (Some(0), version.to_owned()));
}

#[tokio::test]
async fn wrong_use_is_2() {
    for arguments in [&[][..], &["serve"], &["serve", "--port", "x"], &["fly"], &["check"]] {
        let (status, text) = run(arguments).await;
        assert_eq!(status, Some(2), "{arguments:?}: {text}");
        assert!(text.contains("--help"), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn a_check_is_0_for_a_right_file_and_1_with_every_finding_for_a_wrong_one() {
    let home = Home::new(RIGHT);
    let file = home.config_file().display().to_string();
    let (status, text) = run(&["check", &file]).await;
    assert_eq!(status, Some(0), "{text}");

    let wrong = RIGHT.replace("openai_like/m", "openai_lik/m") + "  - model_name: 5\n";
    home.rewrite_config(&wrong);
    let (status, text) = run(&["check", &file]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("config.yaml:4:"), "the first finding has its place: {text}");
    assert!(text.contains("config.yaml:7:"), "the second finding is there too: {text}");
    assert!(text.contains("openai_like"), "the right name is suggested: {text}");
}

#[tokio::test]
async fn a_gateway_that_cannot_start_is_3_and_says_why() {
    let wrong = Home::new("model_list: 5\n");
    let (status, text) = GatewayProcess::start_in_vain(binary(), &wrong).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("config.yaml:1:"), "{text}");

    let running = Stage::new().await;
    let port = running.gateway.base_url().rsplit(':').next().expect("a port").to_owned();
    let home = Home::new(RIGHT);
    let (file, data) = (home.config_file(), home.data_dir());
    let (file, data) = (file.display().to_string(), data.display().to_string());
    let taken = ["serve", "--config", &file, "--data-dir", &data, "--port", &port];
    let (status, text) = run(&taken).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains(&port), "{text}");

    let (status, text) = run(&["serve", "--config", "/nonexistent/config.yaml"]).await;
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("/nonexistent/config.yaml"), "{text}");
}

#[tokio::test]
async fn the_simulator_runs_on_its_own() {
    let mut command = Command::new(binary());
    command.env_clear().args(["simulate", "--port", "0"]);
    let program = Program::start("the simulator", command);
    let address = program.line("its address", |line| {
        let url = &line[line.find("http://")?..];
        Some(url.trim_end_matches("/v1").to_owned())
    });
    let client = Client::new(&address.await);
    let call = r#"{"model":"simulated?tokens=3","messages":[{"role":"user","content":"hi"}]}"#;
    let answer = client.post(CHAT, call).await.ok();
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}
