//! `tolov completions` and `tolov man`: what a package installs beside the program.

use std::{fs, path::Path};

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
    let problem = || format!("cannot write into {}: name a folder that is there", folder.display());
    clap_mangen::generate_to(command, folder).with_context(problem)?;
    for entry in fs::read_dir(folder).with_context(problem)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Others' pages may be in the folder.
        if name.starts_with("tolov") && name.ends_with(".1") {
            fs::write(&path, unfilled(&fs::read_to_string(&path)?)).with_context(problem)?;
        }
    }
    Ok(())
}

/// With the lines below the options as they are: examples that are filled and hyphenated cannot be copied.
fn unfilled(page: &str) -> String {
    const EXTRA: &str = ".SH EXTRA\n";
    let Some((before, extra)) = page.split_once(EXTRA) else { return page.to_owned() };
    let end = extra.find("\n.SH ").map_or(extra.len(), |newline| newline + 1);
    let (lines, after) = extra.split_at(end);
    format!("{before}{EXTRA}.nf\n{lines}.fi\n{after}")
}
