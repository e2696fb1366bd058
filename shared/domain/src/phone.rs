//! Phone numbers of Uzbekistan, in one spelling whatever people type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number as `+998901234567`: twelve digits after the plus.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// A text that is no number of Uzbekistan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write the number as +998 90 123 45 67")]
pub struct PhoneError;

impl Phone {
    /// Reads `+998 90 123-45-67`, `998901234567`, `90 123 45 67` and the like: blanks, brackets, dots and dashes between
    /// the digits do not matter, and the country may be left out.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let trimmed = text.trim();
        let rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let mut digits = String::with_capacity(12);
        for character in rest.chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '\u{a0}' | '-' | '–' | '(' | ')' | '.' | '/' => {}
                _ => return Err(PhoneError),
            }
        }
        let has_plus = rest.len() < trimmed.len();
        let national = match digits.len() {
            9 if !has_plus => digits.as_str(),
            12 => digits.strip_prefix("998").ok_or(PhoneError)?,
            _ => return Err(PhoneError),
        };
        // No operator's code begins with a zero.
        if national.starts_with('0') {
            return Err(PhoneError);
        }
        Ok(Self(format!("+998{national}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `+998 90 123 45 67`, as people write it.
    pub fn spaced(&self) -> String {
        let part = |from, to| self.0.get(from..to).unwrap_or_default();
        format!("{} {} {} {} {}", part(0, 4), part(4, 6), part(6, 9), part(9, 11), part(11, 13))
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        Self::parse(&text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A person's number does not belong in a log: only its end is shown.
impl fmt::Debug for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Phone(…{})", self.0.get(9..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spacing_is_one_number() {
        for text in [
            "+998901234567",
            "998901234567",
            "+998 90 123 45 67",
            "+998 (90) 123-45-67",
            " 90 123 45 67 ",
            "90.123.45.67",
        ] {
            let phone = Phone::parse(text).unwrap();
            assert_eq!(
                (phone.as_str(), phone.spaced().as_str()),
                ("+998901234567", "+998 90 123 45 67"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn another_country_a_short_one_and_words_are_no_number() {
        for text in
            ["", "+7 900 123 45 67", "12345", "+901234567", "998 90 123 45 678", "abc", "+998 00 123 45 67"]
        {
            assert_eq!(Phone::parse(text), Err(PhoneError), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_not_shown_whole_in_a_log() {
        let shown = format!("{:?}", Phone::parse("901234567").unwrap());
        assert!(!shown.contains("90123") && shown.contains("4567"), "{shown}");
    }
}
