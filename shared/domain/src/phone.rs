//! Phone numbers as E.164, in one spelling whatever people type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number as E.164 has it: a plus and 8 to 15 digits, as in `+998901234567`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// A text that is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write the number as +998 90 123 45 67")]
pub struct PhoneError;

/// The country's code, which people of the country leave out.
const UZBEKISTAN: &str = "998";

impl Phone {
    /// Reads `+998 90 123-45-67`, `998901234567`, `90 123 45 67`, `+7 900 123-45-67` and the like: blanks, brackets, dots and
    /// dashes between the digits do not matter. Nine digits without a plus are a number of Uzbekistan.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let trimmed = text.trim();
        let rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let mut digits = String::with_capacity(15);
        for character in rest.chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '\u{a0}' | '-' | '–' | '(' | ')' | '.' | '/' => {}
                _ => return Err(PhoneError),
            }
        }
        let has_plus = rest.len() < trimmed.len();
        match (has_plus, digits.len()) {
            (false, 9) => digits.insert_str(0, UZBEKISTAN),
            // People in Russia dial 8 in the place of +7; no country's code is 89.
            (false, 11) if digits.starts_with("89") => digits.replace_range(..1, "7"),
            // Without the plus, fewer digits are no country's code and number.
            (false, 10..=15) | (true, 8..=15) => {}
            _ => return Err(PhoneError),
        }
        // `+90 123 45 67` lacks the country's code: a number that begins with 9 has more digits in every country.
        let is_whole = match digits.strip_prefix(UZBEKISTAN) {
            // No operator's code begins with a zero.
            Some(national) => national.len() == 9 && !national.starts_with('0'),
            None => !digits.starts_with('0') && (digits.len() != 9 || !digits.starts_with('9')),
        };
        if is_whole { Ok(Self(format!("+{digits}"))) } else { Err(PhoneError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `+998 90 123 45 67`, as people write it; a number of another country as it is.
    pub fn spaced(&self) -> String {
        if !self.0.starts_with("+998") {
            return self.0.clone();
        }
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
        write!(formatter, "Phone(…{})", self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default())
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
    fn a_number_of_another_country_is_taken_as_it_is() {
        for (text, number) in [
            ("+7 900 123-45-67", "+79001234567"),
            ("79001234567", "+79001234567"),
            ("8 (900) 123-45-67", "+79001234567"),
            ("+82 10-1234-5678", "+821012345678"),
            ("+90 532 123 45 67", "+905321234567"),
            ("+45 20123456", "+4520123456"),
            ("+123456789012345", "+123456789012345"),
        ] {
            let phone = Phone::parse(text).unwrap();
            assert_eq!((phone.as_str(), phone.spaced().as_str()), (number, number), "{text:?}");
            assert_eq!(Phone::parse(number), Ok(phone));
        }
    }

    #[test]
    fn a_short_one_one_without_its_country_and_words_are_no_number() {
        for text in [
            "",
            "12345",
            "12345678",
            "+1234567",
            "+1234567890123456",
            "+901234567",
            "0901234567",
            "998 90 123 45 678",
            "abc",
            "+998 00 123 45 67",
            "+99890123",
        ] {
            assert_eq!(Phone::parse(text), Err(PhoneError), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_not_shown_whole_in_a_log() {
        let shown = format!("{:?}", Phone::parse("901234567").unwrap());
        assert!(!shown.contains("90123") && shown.contains("4567"), "{shown}");
    }
}
