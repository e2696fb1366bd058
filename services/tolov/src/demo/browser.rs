//! Opens the demo's page for a person who sits in front of this machine.

use std::{
    io::{IsTerminal as _, stdout},
    process::{Command, Stdio},
    thread,
};

/// Does nothing where [`opener`] finds no person; a browser that does not start is no error, as the address is printed too.
pub(super) fn open(address: &str) {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let Some(program) = opener(std::env::consts::OS, stdout().is_terminal(), is_set) else { return };
    let mut command = Command::new(program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut browser) = command.spawn() {
        // Some openers stay as long as the browser does. The thread ends with the process.
        thread::spawn(move || browser.wait());
    }
}

/// The program that opens an address; `None` for output that nobody watches, CI, SSH and a machine without a screen.
fn opener(system: &str, is_terminal: bool, is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    if !is_terminal || ["CI", "SSH_CONNECTION"].into_iter().any(&is_set) {
        return None;
    }
    match system {
        "macos" => Some("open"),
        "linux" if is_set("WSL_DISTRO_NAME") => Some("wslview"),
        "linux" if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") => Some("xdg-open"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_opened_only_where_a_person_can_see_it() {
        let on = |system, set: &[&str]| opener(system, true, |name| set.contains(&name));
        assert_eq!(on("linux", &["DISPLAY"]), Some("xdg-open"));
        assert_eq!(on("linux", &["WAYLAND_DISPLAY"]), Some("xdg-open"));
        assert_eq!(on("linux", &["WSL_DISTRO_NAME", "DISPLAY"]), Some("wslview"));
        assert_eq!(on("macos", &[]), Some("open"));
        assert_eq!(on("linux", &[]), None, "no screen");
        assert_eq!(on("linux", &["DISPLAY", "CI"]), None);
        assert_eq!(on("macos", &["SSH_CONNECTION"]), None);
        assert_eq!(opener("macos", false, |_| false), None, "the output goes into a file or a pipe");
    }
}
