//! The commands that are made of the management API, run against a gateway.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tollgate_testkit::patience::eventually;

use crate::stage::{Stage, binary};

/// What a command ended with: its status, its output, and what it wrote beside it.
pub(super) struct Ended {
    pub(super) status: Option<i32>,
    pub(super) output: String,
    pub(super) errors: String,
}

/// Runs a command with this environment and this input.
pub(super) async fn run(mut command: Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that reads no input may be gone before it is written.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let ended = eventually("the command's end", child.wait_with_output()).await;
    let ended = ended.expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { status: ended.status.code(), output: text(&ended.stdout), errors: text(&ended.stderr) }
}

/// `tollgate` with the words of this line, as the holder of this key.
async fn tollgate(stage: &Stage, key: &str, line: &str, input: &str) -> Ended {
    let mut command = Command::new(binary());
    command.env_clear().args(line.split_whitespace());
    command.env("TOLLGATE_URL", stage.gateway.base_url()).env("TOLLGATE_KEY", key);
    run(command, input).await
}

/// The same as the master, done.
async fn done(stage: &Stage, line: &str) -> String {
    let ended = tollgate(stage, stage.gateway.master_key(), line, "").await;
    assert_eq!(ended.status, Some(0), "{line}: {}", ended.errors);
    ended.output
}

async fn done_json(stage: &Stage, line: &str) -> Value {
    let output = done(stage, &format!("{line} --json")).await;
    serde_json::from_str(&output).unwrap_or_else(|problem| panic!("{line}: {problem}: {output}"))
}

#[tokio::test]
async fn a_key_is_made_listed_changed_blocked_and_deleted() {
    let stage = Stage::new().await;
    done(&stage, "teams new --team-id loom").await;
    let made = "keys new --key-alias ci --team-id loom --models chat --max-budget 0.10";
    let made = done_json(&stage, made).await;
    let (text, hash) = (made["key"].as_str().expect("a key"), made["token"].as_str());
    let hash = hash.expect("a hash");
    stage.gateway.client(text).get("/v1/models").await.ok();

    let listed = done(&stage, "keys list --team-id loom").await;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("key_alias  key_name"), "{listed}");
    assert!(lines[1].starts_with("ci ") && lines[1].ends_with(hash), "{listed}");
    assert_eq!(lines.len(), 3, "a line for the whole: {listed}");

    done(&stage, &format!("keys update {hash} --metadata {{\"a\":1}} --unset max-budget")).await;
    let info = done_json(&stage, &format!("keys show {hash}")).await;
    assert_eq!(info["info"]["max_budget"], Value::Null);
    assert_eq!(info["info"]["metadata"], json!({ "a": 1 }));
    assert_eq!(info["info"]["key_alias"], "ci", "what is not named stays");

    done(&stage, &format!("keys block {hash}")).await;
    let refused = stage.gateway.client(text).get("/v1/models").await.refusal();
    assert_eq!(refused, (401, "key_blocked".to_owned()));
    done(&stage, &format!("keys unblock {hash}")).await;
    stage.gateway.client(text).get("/v1/models").await.ok();
    done(&stage, "keys delete --key-aliases ci").await;
    assert_eq!(done(&stage, "keys list").await.lines().next(), Some("none"));
}

#[tokio::test]
async fn the_exit_status_says_who_said_no() {
    let stage = Stage::new().await;
    let (master, key) = (stage.gateway.master_key(), stage.plain_key().await);
    let absent = tollgate(&stage, master, "teams show loom", "").await;
    assert_eq!((absent.status, absent.output.as_str()), (Some(1), ""));
    assert!(absent.errors.contains("reason: entity_not_found (HTTP 404)"), "{}", absent.errors);
    let forbidden = tollgate(&stage, &key.text, "users list --json", "").await;
    assert_eq!(forbidden.status, Some(1));
    let refusal: Value = serde_json::from_str(&forbidden.errors).expect("the refusal as it came");
    assert_eq!(refusal["error"]["gateway"]["reason"], "management_forbidden");
    for line in ["keys", "keys new --max-budget -1", "keys fly", "teams show", "keys new --rpm 5"] {
        let wrong = tollgate(&stage, master, line, "").await;
        assert_eq!(wrong.status, Some(2), "{line}: {}", wrong.errors);
        assert!(wrong.errors.contains("--help"), "{line}: {}", wrong.errors);
    }
    let nowhere = tollgate(&stage, master, "keys list --url http://127.0.0.1:1", "").await;
    assert_eq!(nowhere.status, Some(3));
    assert!(nowhere.errors.contains("http://127.0.0.1:1"), "{}", nowhere.errors);
    let keyless = tollgate(&stage, "", "keys list", "").await;
    assert_eq!(keyless.status, Some(3), "{}", keyless.errors);
    assert!(keyless.errors.contains("TOLLGATE_KEY"), "{}", keyless.errors);
}

#[tokio::test]
async fn no_secret_has_to_be_an_argument() {
    let stage = Stage::new().await;
    let master = stage.gateway.master_key();
    let chosen = "sk-chosen-0123456789abcdef";
    let made = tollgate(&stage, master, "keys new --key - --json", chosen).await;
    assert_eq!(made.status, Some(0), "{}", made.errors);
    stage.gateway.client(chosen).get("/v1/models").await.ok();

    let file = stage.home.path().join("key");
    std::fs::write(&file, format!("{master}\n")).expect("a file");
    let line = format!("keys list --key-file {}", file.display());
    assert_eq!(tollgate(&stage, "sk-of-nobody-0000", &line, "").await.status, Some(0));
    let piped = tollgate(&stage, "", "keys list --key-file -", master).await;
    assert_eq!(piped.status, Some(0), "{}", piped.errors);
}

#[tokio::test]
async fn completions_and_pages_know_every_field() {
    let stage = Stage::new().await;
    for shell in ["bash", "zsh", "fish"] {
        let script = done(&stage, &format!("completions {shell}")).await;
        for word in ["keys", "max-budget", "proxy_admin_viewer"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let mut check = Command::new("bash");
    check.arg("-n");
    let checked = run(check, &done(&stage, "completions bash").await).await;
    assert_eq!(checked.status, Some(0), "{}", checked.errors);
    let page = done(&stage, "man keys new").await;
    assert!(page.contains("Most dollars in one period"), "{page}");
    assert!(done(&stage, "man").await.contains("serve"));
}
