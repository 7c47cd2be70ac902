//! `docs/guide/from-litellm.md`: every command of it is run, and says what it says there.

use expect_test::expect_file;
use tokio::process::Command;

use super::story::Taken;
use super::{SALT_KEY, output};
use crate::guide::told;
use crate::stage::binary;

/// The guide.
const GUIDE: &str = include_str!("../../../../../docs/guide/from-litellm.md");
/// The command that depends on the day.
const IMPORT: &str = "tollgate import litellm ";

#[tokio::test]
async fn every_command_of_the_guide_says_what_it_says_there() {
    let taken = Taken::new().await;
    let text = told(GUIDE, async |command| said(&taken, command).await).await;
    expect_file!["../../../../../docs/guide/from-litellm.md"].assert_eq(&text);
}

/// What a command writes, in a shell, on the day of the stories.
async fn said(taken: &Taken, command: &str) -> String {
    let dated = format!("{IMPORT}--clock-file {} ", taken.clock.path().display());
    let mut shell = Command::new("sh");
    let folder = binary().parent().expect("a folder").display();
    shell.env_clear().env("PATH", format!("{folder}:/usr/bin:/bin"));
    shell.env("LITELLM_SALT_KEY", SALT_KEY).env("LITELLM_DATABASE_URL", taken.proxy.url());
    shell.current_dir(taken.home.path()).args(["-c", &command.replace(IMPORT, &dated)]);
    output(shell).await.1
}
