//! `tollgate completions` and `tollgate man`: made of the same definition as the commands.

use clap::Command;
use clap_complete::Shell;

use crate::cli::write;

/// What `completions` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell that they are for
    shell: Shell,
}

/// What `man` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The command that the page is about, such as `keys new`; none is the whole
    command: Vec<String>,
}

impl Completions {
    pub(super) fn run(&self, mut whole: Command) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut whole, "tollgate", &mut script);
        write(&script)
    }
}

impl Man {
    pub(super) fn run(&self, mut whole: Command) -> anyhow::Result<()> {
        // Building gives the commands their whole names, which the pages say.
        whole.build();
        let mut page = &whole;
        for word in &self.command {
            page = page.find_subcommand(word).ok_or_else(|| {
                anyhow::anyhow!("there is no command `{}`", self.command.join(" "))
            })?;
        }
        let mut text = Vec::new();
        clap_mangen::Man::new(page.clone()).render(&mut text)?;
        write(&text)
    }
}
