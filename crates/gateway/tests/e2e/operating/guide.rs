//! `docs/guide/cli.md`: every command of it is run, and says what it says there.

use expect_test::expect_file;
use tokio::process::Command;
use tollgate_simulator::Script;
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::ConfigText;

use super::commands::run;
use crate::guide::told;
use crate::stage::{CALL, CHAT, GROUP, Stage, Storage, binary};

/// The guide.
const GUIDE: &str = include_str!("../../../../../docs/guide/cli.md");
/// Where the guide says that the gateway is.
const ADDRESS: &str = "http://127.0.0.1:4000";
/// A key that the guide makes.
const KEY: &str = "sk-guide-0123456789";

#[tokio::test]
async fn every_command_of_the_guide_says_what_it_says_there() {
    let clock = ClockFile::at("2026-05-01T09:00:00Z");
    let config = |simulator: &_| ConfigText::simulated(GROUP, simulator);
    let stage =
        Stage::with(Storage::Sqlite, Script::default(), config, |home| home.with_clock(&clock));
    let stage = stage.await;
    let text = told(GUIDE, async |command| {
        let text = said(&stage, command).await;
        if command.contains(KEY) {
            stage.gateway.client(KEY).post(CHAT, CALL).await.ok();
            spent(&stage).await;
        }
        text
    });
    let text = text.await;
    expect_file!["../../../../../docs/guide/cli.md"].assert_eq(&text);
}

/// What a command writes, in a shell.
async fn said(stage: &Stage, command: &str) -> String {
    let mut shell = Command::new("sh");
    let folder = binary().parent().expect("a folder").display();
    shell.env_clear().env("PATH", format!("{folder}:/usr/bin:/bin")).args(["-c", command]);
    shell.env("TOLLGATE_URL", stage.gateway.base_url());
    shell.env("TOLLGATE_KEY", stage.gateway.master_key());
    let ended = run(shell, "").await;
    (ended.output + &ended.errors).replace(stage.gateway.base_url(), ADDRESS)
}

/// Waits until the call is in the books.
async fn spent(stage: &Stage) {
    let path = format!("/key/info?key={KEY}");
    let master = stage.gateway.master();
    let ask = || async {
        let info = master.get(&path).await.ok();
        (info["info"]["spend"].as_f64() > Some(0.0)).then_some(())
    };
    tollgate_testkit::patience::until("the call's cost", ask).await;
}
