//! Money: an integer number of tiyin, converted to and from so'm only where text comes in or goes out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in tiyin (1 so'm = 100 tiyin), never negative.
///
/// CLICK's limits are far below [`Tiyin::MAX`]; the bound keeps every sum of a shop inside `i64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Tiyin(i64);

/// Why a text or a number is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not `digits` or `digits.dd`.
    #[error("write the amount as digits with at most two decimals, for example 1500 or 1500.50")]
    Format,
    /// Negative, or above [`Tiyin::MAX`].
    #[error("the amount is outside 0 to 10 000 000 000 000 so'm")]
    Range,
}

const TIYIN_PER_SOUM: i64 = 100;

impl Tiyin {
    pub const ZERO: Self = Self(0);
    /// Ten trillion so'm.
    pub const MAX: Self = Self(1_000_000_000_000_000);

    pub const fn try_new(tiyin: i64) -> Result<Self, AmountError> {
        if tiyin < 0 || tiyin > Self::MAX.0 {
            return Err(AmountError::Range);
        }
        Ok(Self(tiyin))
    }

    /// Whole so'm, as prices are written in a catalogue.
    pub fn from_soum(soum: i64) -> Result<Self, AmountError> {
        soum.checked_mul(TIYIN_PER_SOUM).ok_or(AmountError::Range).and_then(Self::try_new)
    }

    /// Reads so'm as CLICK and JSON write them: digits, and at most two decimals.
    ///
    /// No sign, exponent, space, bare dot or digit group passes (docs/click.md, section 1.4), so `1000`,
    /// `1000.0` and `1000.00` are the same amount and `nan`, `1e3` and `1000.001` are none.
    pub fn parse_soum(text: &str) -> Result<Self, AmountError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) if (1..=2).contains(&decimals.len()) => (whole, decimals),
            Some(_) => return Err(AmountError::Format),
            None => (text, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
            return Err(AmountError::Format);
        }
        let soum: i64 = whole.parse().map_err(|_| AmountError::Range)?;
        let tiyin: i64 = format!("{decimals:0<2}").parse().map_err(|_| AmountError::Format)?;
        soum.checked_mul(TIYIN_PER_SOUM)
            .and_then(|whole| whole.checked_add(tiyin))
            .ok_or(AmountError::Range)
            .and_then(Self::try_new)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.0.checked_add(other.0).ok_or(AmountError::Range).and_then(Self::try_new)
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.0.checked_sub(other.0).ok_or(AmountError::Range).and_then(Self::try_new)
    }

    pub fn checked_times(self, count: u32) -> Result<Self, AmountError> {
        self.0.checked_mul(i64::from(count)).ok_or(AmountError::Range).and_then(Self::try_new)
    }

    /// So'm with two decimals, `1500.00`: the form of CLICK's pay link (section 2).
    pub fn soum_text(self) -> String {
        format!("{}.{:02}", self.0 / TIYIN_PER_SOUM, self.0 % TIYIN_PER_SOUM)
    }

    /// So'm as a JSON number that keeps a decimal point, `1500.0`: the form of `POST /api/create_order`.
    pub fn soum_json(self) -> String {
        let text = self.soum_text();
        text.strip_suffix('0').map(str::to_owned).unwrap_or(text)
    }

    /// So'm for people, in groups of three: `1 500 000`, and `1 500,50` where there are tiyin. The groups are joined by
    /// U+00A0, so that no line ends inside an amount.
    pub fn grouped(self) -> String {
        let soum = (self.0 / TIYIN_PER_SOUM).to_string();
        let mut text = String::with_capacity(soum.len() + soum.len() / 3 + 3);
        for (position, digit) in soum.chars().enumerate() {
            if position > 0 && (soum.len() - position).is_multiple_of(3) {
                text.push('\u{a0}');
            }
            text.push(digit);
        }
        let tiyin = self.0 % TIYIN_PER_SOUM;
        if tiyin > 0 {
            return format!("{text},{tiyin:02}");
        }
        text
    }
}

impl fmt::Debug for Tiyin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} tiyin", self.0)
    }
}

impl TryFrom<i64> for Tiyin {
    type Error = AmountError;

    fn try_from(tiyin: i64) -> Result<Self, AmountError> {
        Self::try_new(tiyin)
    }
}

impl From<Tiyin> for i64 {
    fn from(amount: Tiyin) -> Self {
        amount.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spellings_click_uses_are_one_amount() {
        for text in ["1000", "1000.0", "1000.00"] {
            assert_eq!(Tiyin::parse_soum(text), Tiyin::try_new(100_000));
        }
        assert_eq!(Tiyin::parse_soum("33139.73"), Tiyin::try_new(3_313_973));
        assert_eq!(Tiyin::parse_soum("0.5"), Tiyin::try_new(50));
    }

    #[test]
    fn what_is_not_plain_digits_is_no_amount() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "nan", "inf", " 1", "1 ", "1 000", "1,5", "1.000", "0x1",
            "١٢", "1.2.3", "1_000",
        ] {
            assert_eq!(Tiyin::parse_soum(text), Err(AmountError::Format), "{text:?}");
        }
        assert_eq!(Tiyin::parse_soum("99999999999999999999"), Err(AmountError::Range));
        assert_eq!(Tiyin::parse_soum("10000000000000.01"), Err(AmountError::Range));
    }

    #[test]
    fn amounts_end_at_the_largest_and_a_soum_is_a_hundred_tiyin() {
        assert_eq!(Tiyin::try_new(Tiyin::MAX.get()), Ok(Tiyin::MAX));
        for beyond in [-1, Tiyin::MAX.get() + 1] {
            assert_eq!(Tiyin::try_new(beyond), Err(AmountError::Range));
        }
        assert_eq!(Tiyin::from_soum(30_000).map(Tiyin::get), Ok(3_000_000));
        assert_eq!(Tiyin::from_soum(i64::MAX), Err(AmountError::Range));
        assert_eq!(format!("{:?}", Tiyin::MAX), "1000000000000000 tiyin");
    }

    #[test]
    fn money_is_written_for_people_for_click_and_for_json() {
        let amount = |tiyin| Tiyin::try_new(tiyin).unwrap();
        assert_eq!(amount(150_000_000).grouped(), "1\u{a0}500\u{a0}000");
        assert_eq!(amount(1_500_000).grouped(), "15\u{a0}000");
        assert_eq!(amount(99_950).grouped(), "999,50");
        assert_eq!(amount(150_000_000).soum_text(), "1500000.00");
        assert_eq!(amount(3_000_000).soum_json(), "30000.0");
        assert_eq!(amount(3_313_973).soum_json(), "33139.73");
    }

    proptest! {
        #[test]
        fn every_amount_survives_its_own_texts(tiyin in 0..=Tiyin::MAX.get()) {
            let amount = Tiyin::try_new(tiyin).unwrap();
            prop_assert_eq!(Tiyin::parse_soum(&amount.soum_text()), Ok(amount));
            prop_assert_eq!(Tiyin::parse_soum(&amount.soum_json()), Ok(amount));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,40}") {
            if let Ok(amount) = Tiyin::parse_soum(&text) {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
                prop_assert!(amount <= Tiyin::MAX);
            }
        }
    }
}
