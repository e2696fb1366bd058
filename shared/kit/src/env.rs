//! The environment, read in one go: every missing or bad variable is found before anything starts.
//!
//! Each NAME can also be given as NAME_FILE, the path of a file that holds the value (secrets of Docker and of
//! systemd). The file wins nothing: giving both is a mistake.

use std::{cell::RefCell, collections::BTreeMap, fmt::Display, str::FromStr, time::Duration};

use crate::secret::Secret;

/// Reads variables and collects what is wrong with them.
#[derive(Debug)]
pub struct Env {
    variables: BTreeMap<String, String>,
    problems: RefCell<Vec<String>>,
}

/// Everything that is wrong with the environment, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete:\n  {}", .0.join("\n  "))]
pub struct EnvError(pub Vec<String>);

impl Env {
    pub fn from_process() -> Self {
        Self::new(std::env::vars())
    }

    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), problems: RefCell::default() }
    }

    /// Gives a variable a value where neither it nor its _FILE has one.
    pub fn default_to(&mut self, name: &str, value: &str) {
        let given = |name: &str| self.variables.get(name).is_some_and(|value| !value.trim().is_empty());
        if !given(name) && !given(&format!("{name}_FILE")) {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The text of a variable, without blanks around it. An empty one counts as not given.
    pub fn text(&self, name: &str) -> Option<String> {
        let direct = self.variables.get(name).map(|value| value.trim().to_owned());
        let file = self.variables.get(&format!("{name}_FILE")).filter(|path| !path.trim().is_empty());
        match (direct.filter(|value| !value.is_empty()), file) {
            (Some(_), Some(_)) => {
                self.problem(name, "is given twice: keep either the variable or its _FILE");
                None
            }
            (Some(value), None) => Some(value),
            (None, Some(path)) => match std::fs::read_to_string(path.trim()) {
                Ok(content) => Some(content.trim().to_owned()).filter(|value| !value.is_empty()),
                Err(error) => {
                    self.problem(name, format_args!("cannot be read from {path}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// A variable that must be there. The value returned for a missing one is never used: [`Env::finish`] fails.
    pub fn required(&self, name: &str, what: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problem(name, format_args!("is missing: {what}"));
            String::new()
        })
    }

    pub fn secret(&self, name: &str, what: &str) -> Secret {
        Secret::new(self.required(name, what))
    }

    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, format_args!("cannot be read: {error}"));
                None
            }
        }
    }

    pub fn required_parsed<T: FromStr>(&self, name: &str, what: &str) -> Option<T>
    where
        T::Err: Display,
    {
        if self.text(name).is_none() {
            self.problem(name, format_args!("is missing: {what}"));
            return None;
        }
        self.parsed(name)
    }

    /// `true`/`false`, `1`/`0`, `yes`/`no`, whatever the case.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else { return default };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.problem(name, "cannot be read: write true or false");
                default
            }
        }
    }

    /// A length of time such as `90s`, `30m`, `24h` or `7d`; `0` switches off what has a limit otherwise.
    pub fn duration(&self, name: &str, default: Option<Duration>) -> Option<Duration> {
        let Some(text) = self.text(name) else { return default };
        match parse_duration(&text) {
            Some(Duration::ZERO) => None,
            Some(duration) => Some(duration),
            None => {
                self.problem(name, "cannot be read: write 90s, 30m, 24h or 7d, or 0 for no limit");
                default
            }
        }
    }

    /// Notes a problem of a variable that its reader found.
    pub fn problem(&self, name: &str, what: impl Display) {
        let line = format!("{name} {what}");
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&line) {
            problems.push(line);
        }
    }

    /// Fails with every problem at once.
    pub fn finish(&self) -> Result<(), EnvError> {
        let problems = self.problems.take();
        if problems.is_empty() { Ok(()) } else { Err(EnvError(problems)) }
    }
}

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

    #[test]
    fn every_problem_is_told_at_once() {
        let env = env(&[("PORT", "many"), ("FLAG", "perhaps"), ("EMPTY", "  ")]);
        env.required("EMPTY", "give it");
        env.parsed::<u16>("PORT");
        env.flag("FLAG", false);
        let EnvError(problems) = env.finish().unwrap_err();
        assert_eq!(problems.len(), 3);
        assert!(problems[0].starts_with("EMPTY is missing"));
    }

    #[test]
    fn lengths_of_time_have_units_and_nothing_switches_the_limit_off() {
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
}
