//! The environment, read in one go: every missing or bad variable is found before anything starts.
//!
//! Each NAME can also be given as NAME_FILE, the path of a file that holds the value (secrets of Docker and of
//! systemd). Giving both is a mistake. White space, line ends and a byte order mark around a value are no part of it.

use std::{
    any::TypeId, cell::RefCell, collections::BTreeMap, ffi::OsString, fmt::Display, num::ParseIntError,
    str::FromStr, time::Duration,
};

use crate::secret::Secret;

/// What is wrong with the value of a number, as [`Env::finish`] tells it.
pub const NO_WHOLE_NUMBER: &str = "write a whole number";

/// Reads variables and collects what is wrong with them.
#[derive(Debug)]
pub struct Env {
    variables: BTreeMap<String, OsString>,
    problems: RefCell<Vec<String>>,
    warnings: RefCell<Vec<String>>,
}

/// Everything that is wrong with the environment, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete:\n  {}", .0.join("\n  "))]
pub struct EnvError(pub Vec<String>);

impl Env {
    /// Variables of others need not be UTF-8; one that is read and is not is a problem.
    pub fn from_process() -> Self {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::from_os(variables)
    }

    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::from_os(variables.into_iter().map(|(name, value)| (name, value.into())))
    }

    fn from_os(variables: impl Iterator<Item = (String, OsString)>) -> Self {
        Self { variables: variables.collect(), problems: RefCell::default(), warnings: RefCell::default() }
    }

    /// Gives a variable a value where neither it nor its _FILE has one.
    pub fn default_to(&mut self, name: &str, value: &str) {
        let given = |name: &str| {
            self.variables
                .get(name)
                .is_some_and(|value| !value.to_str().is_some_and(|text| trimmed(text).is_empty()))
        };
        if !given(name) && !given(&format!("{name}_FILE")) {
            self.variables.insert(name.to_owned(), value.into());
        }
    }

    /// The text of a variable. An empty one counts as not given. Quotes or a comment that a tool left in it are noted
    /// in [`Env::warnings`]: a text may have them on purpose.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        if let Some(leftover) = leftover(&value) {
            self.warn(name, leftover);
        }
        Some(value)
    }

    fn value(&self, name: &str) -> Option<String> {
        match (self.variable(name, name), self.variable(&format!("{name}_FILE"), name)) {
            (Some(_), Some(_)) => {
                self.problem(name, "is given twice: keep either the variable or its _FILE");
                None
            }
            (Some(value), None) => Some(value),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(content) => Some(trimmed(&content).to_owned()).filter(|value| !value.is_empty()),
                Err(error) => {
                    self.problem(name, format_args!("cannot be read from {path}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// What the environment itself holds. `about` is the variable that a problem is told of.
    fn variable(&self, name: &str, about: &str) -> Option<String> {
        let Some(text) = self.variables.get(name)?.to_str() else {
            self.problem(
                about,
                format_args!("cannot be read: {name} is not UTF-8; save the settings as UTF-8"),
            );
            return None;
        };
        Some(trimmed(text).to_owned()).filter(|value| !value.is_empty())
    }

    /// A variable that must be there. The value returned for a missing one is never used: [`Env::finish`] fails.
    pub fn required(&self, name: &str, what: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.missing(name, what);
            String::new()
        })
    }

    /// A required token, key or password. None has quotes around it or a comment behind it.
    pub fn secret(&self, name: &str, what: &str) -> Secret {
        let value = self.value(name);
        match value.as_deref().map(leftover) {
            Some(Some(leftover)) => self.problem(name, leftover),
            Some(None) => {}
            None => self.missing(name, what),
        }
        Secret::new(value.unwrap_or_default())
    }

    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T>
    where
        T::Err: Display + 'static,
    {
        let text = self.value(name)?;
        match text.parse() {
            Ok(value) => {
                // An address takes a comment behind it for a part of its path.
                if let Some(leftover) = leftover(&text) {
                    self.warn(name, leftover);
                }
                Some(value)
            }
            // Its own words are for programmers.
            Err(_) if TypeId::of::<T::Err>() == TypeId::of::<ParseIntError>() => {
                self.unreadable(name, &text, NO_WHOLE_NUMBER);
                None
            }
            Err(error) => {
                self.unreadable(name, &text, error);
                None
            }
        }
    }

    pub fn required_parsed<T: FromStr>(&self, name: &str, what: &str) -> Option<T>
    where
        T::Err: Display + 'static,
    {
        if self.value(name).is_none() {
            self.missing(name, what);
            return None;
        }
        self.parsed(name)
    }

    /// `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`, whatever the case.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        let Some(text) = self.value(name) else { return default };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.unreadable(name, &text, "write true or false");
                default
            }
        }
    }

    /// A length of time such as `90s`, `30m`, `24h` or `7d`, at most ten years; `None` for `0`, which switches off
    /// what has a limit otherwise.
    pub fn duration(&self, name: &str, default: Option<Duration>) -> Option<Duration> {
        let Some(text) = self.value(name) else { return default };
        match parse_duration(&text) {
            Some(Duration::ZERO) => None,
            Some(duration) if duration > DURATION_MAX => {
                self.problem(name, "is longer than ten years: write less than 3650d, or 0 for no limit");
                default
            }
            Some(duration) => Some(duration),
            None => {
                self.unreadable(name, &text, "write 90s, 30m, 24h or 7d, or 0 for no limit");
                default
            }
        }
    }

    /// Notes a problem of a variable that its reader found.
    pub fn problem(&self, name: &str, what: impl Display) {
        note(&self.problems, format!("{name} {what}"));
    }

    /// What looks like a mistake in the values read so far, one line each. [`Env::finish`] logs them.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// Fails with every problem at once, and logs the warnings.
    pub fn finish(&self) -> Result<(), EnvError> {
        let problems = self.problems.take();
        for warning in self.warnings.borrow().iter().filter(|warning| !problems.contains(warning)) {
            tracing::warn!("{warning}");
        }
        if problems.is_empty() { Ok(()) } else { Err(EnvError(problems)) }
    }

    fn warn(&self, name: &str, what: &str) {
        note(&self.warnings, format!("{name} {what}"));
    }

    /// A value that was given and cannot be read is no missing one.
    fn missing(&self, name: &str, what: &str) {
        let about = format!("{name} ");
        if !self.problems.borrow().iter().any(|problem| problem.starts_with(&about)) {
            self.problem(name, format_args!("is missing: {what}"));
        }
    }

    fn unreadable(&self, name: &str, value: &str, error: impl Display) {
        match leftover(value) {
            Some(leftover) => self.problem(name, leftover),
            None => self.problem(name, format_args!("cannot be read: {error}")),
        }
    }
}

/// Whether the line is new.
fn note(lines: &RefCell<Vec<String>>, line: String) {
    let mut lines = lines.borrow_mut();
    if !lines.contains(&line) {
        lines.push(line);
    }
}

/// Without the byte order mark that editors on Windows write, and without line ends of any system.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

/// What a shell would have taken off, and a tool that is none (`docker --env-file`, systemd) left in the value.
fn leftover(value: &str) -> Option<&'static str> {
    let is_quoted = |quote: char| value.strip_prefix(quote).is_some_and(|rest| rest.ends_with(quote));
    if is_quoted('"') || is_quoted('\'') {
        Some("has quotes around its value, which count as a part of it: take them off")
    } else if value.split_whitespace().skip(1).any(|word| word.starts_with('#')) {
        Some("has a comment behind its value, which counts as a part of it: take it off")
    } else {
        None
    }
}

/// Sums of times stay inside the calendar.
const DURATION_MAX: Duration = Duration::from_hours(24 * 3650);

/// Not the humantime crate: its month, year and nanosecond, and `M` beside `m`, are mistakes in a setting.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds_each: u64 = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(seconds_each).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn problems(env: &Env) -> Vec<String> {
        env.finish().err().map_or_else(Vec::new, |EnvError(problems)| problems)
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let env = env(&[("PORT", "many"), ("FLAG", "perhaps"), ("EMPTY", "  ")]);
        env.required("EMPTY", "give it");
        env.parsed::<u16>("PORT");
        env.flag("FLAG", false);
        let EnvError(problems) = env.finish().unwrap_err();
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[1], "PORT cannot be read: write a whole number");
        assert!(problems[0].starts_with("EMPTY is missing"));
    }

    #[test]
    fn durations_have_units_and_zero_switches_a_limit_off() {
        let env = env(&[("A", "90s"), ("B", "30m"), ("C", "0"), ("D", "soon"), ("E", "7d")]);
        let read = |name| env.duration(name, Some(Duration::from_secs(1)));
        assert_eq!(read("A"), Some(Duration::from_secs(90)));
        assert_eq!(read("B"), Some(Duration::from_mins(30)));
        assert_eq!(read("C"), None);
        assert_eq!(read("E"), Some(Duration::from_hours(168)));
        assert_eq!(read("UNSET"), Some(Duration::from_secs(1)));
        read("D");
        assert!(env.finish().is_err());
    }

    #[test]
    fn a_secret_may_come_from_a_file_but_not_from_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        let path = file.path().to_str().unwrap();
        let from_file = env(&[("KEY_FILE", path)]);
        assert_eq!(from_file.secret("KEY", "").expose(), "hunter2");
        assert_eq!(from_file.finish(), Ok(()));
        let both = env(&[("KEY", "a"), ("KEY_FILE", path)]);
        both.text("KEY");
        assert!(both.finish().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_foreign_variable_that_is_not_utf8_does_not_matter_and_one_of_ours_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = || OsString::from_vec(b"\xd2\xe0\xf8".to_vec());
        let foreign = [("BAD".to_owned(), bytes()), ("PORT".to_owned(), "8000".into())];
        let env = Env::from_os(foreign.into_iter());
        assert_eq!(env.parsed::<u16>("PORT"), Some(8000));
        assert_eq!(env.finish(), Ok(()));
        let mut ours =
            Env::from_os([("KEY".to_owned(), bytes()), ("TOKEN_FILE".to_owned(), bytes())].into_iter());
        ours.default_to("KEY", "a default");
        ours.required("KEY", "give it");
        ours.secret("TOKEN", "give it");
        let problems = problems(&ours);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("KEY cannot be read: KEY is not UTF-8"), "{problems:?}");
        assert!(problems[1].starts_with("TOKEN cannot be read: TOKEN_FILE is not UTF-8"), "{problems:?}");
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_value() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\u{feff}hunter2\r\n").unwrap();
        let env = env(&[("KEY_FILE", file.path().to_str().unwrap()), ("PORT", "\u{feff}8000\r")]);
        assert_eq!(env.secret("KEY", "").expose(), "hunter2");
        assert_eq!(env.parsed::<u16>("PORT"), Some(8000));
        assert_eq!(env.finish(), Ok(()));
    }

    #[test]
    fn quotes_and_comments_that_a_tool_left_are_noticed() {
        let env = env(&[
            ("KEY", "'hunter2'"),
            ("TOKEN", "hunter2 # from the cabinet"),
            ("PORT", "\"8000\""),
            ("ADDRESS", "\"Toshkent\""),
            ("NAME", "Do'kon #1 \"Lola\""),
            ("QUOTE", "\""),
            ("PAGE", "https://t.me/shop # the bot"),
        ]);
        env.secret("KEY", "");
        env.secret("TOKEN", "");
        env.parsed::<u16>("PORT");
        let problems = problems(&env);
        assert!(problems[0].starts_with("KEY has quotes"), "{problems:?}");
        assert!(problems[1].starts_with("TOKEN has a comment"), "{problems:?}");
        assert!(problems[2].starts_with("PORT has quotes"), "{problems:?}");
        assert_eq!(env.text("ADDRESS").as_deref(), Some("\"Toshkent\""));
        assert_eq!(env.text("QUOTE").as_deref(), Some("\""));
        env.text("ADDRESS");
        assert!(env.parsed::<url::Url>("PAGE").is_some(), "it can be read, and means another page");
        let warnings = env.warnings();
        assert!(warnings.len() == 2 && warnings[0].starts_with("ADDRESS has quotes"), "{warnings:?}");
        assert!(warnings[1].starts_with("PAGE has a comment"), "{warnings:?}");
        assert_eq!(env.finish(), Ok(()));
    }

    #[test]
    fn a_duration_beyond_the_calendar_is_a_problem() {
        let env = env(&[("TTL", "500000000d"), ("AGE", "3650d")]);
        assert_eq!(env.duration("TTL", None), None);
        assert_eq!(env.duration("AGE", None), Some(DURATION_MAX));
        assert!(problems(&env)[0].starts_with("TTL is longer than ten years"));
    }
}
