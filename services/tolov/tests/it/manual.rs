//! What a package installs beside the program.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::processes::tolov;

fn printed(command: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = tolov(command, folder.path(), &BTreeMap::new()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn completions_are_printed_for_each_shell_and_bash_can_read_its_own() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed("completions", &[shell]);
        assert!(script.contains("click-test") && script.contains("no-open"), "{shell}: {script}");
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(printed("completions", &["bash"]).as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}

#[test]
fn every_command_of_the_help_has_a_manual_page_that_is_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    printed("man", &[folder.path().to_str().unwrap()]);
    let help = printed("--help", &[]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names: Vec<&str> = commands
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !["", "help"].contains(name))
        .collect();
    assert!(names.len() > 20, "{help}");
    for name in names {
        let page = std::fs::read_to_string(folder.path().join(format!("tolov-{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH OPTIONS"), "{page}");
    }
    let page = std::fs::read_to_string(folder.path().join("tolov-click-test.1")).unwrap();
    assert!(page.contains("{n} is 1, 2"), "{page}");
    let (_, examples) = page.split_once("\n.nf\n").unwrap();
    assert!(examples.contains("All cases:") && examples.ends_with("\n.fi\n"), "lines as they are: {page}");
    let page = std::fs::read_to_string(folder.path().join("tolov.1")).unwrap();
    assert!(page.contains("explains each one.\n.fi\n.SH VERSION"), "{page}");
}
