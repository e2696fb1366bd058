//! `tolov completions` and `tolov man`: what a package installs beside the program.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, output};

pub(super) fn print_completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tolov", &mut script);
    output::write_bytes(&script);
}

pub(super) fn write_pages(folder: &Path) -> Result<()> {
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write into {}: name a folder that is there", folder.display()))
}
