//! Reads what staff type. `None`: it cannot be read, and the step asks again.

use time::{Date, Duration, Month, Time};
use tolov_domain::{
    Tiyin,
    order::Portion,
    time::{TASHKENT, Timestamp},
};

/// A larger number is a typing error.
const STOCK_MAX: u32 = 1_000_000;

/// One line of at most `max_chars`. A command is not a value.
pub(crate) fn line(text: &str, max_chars: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.starts_with('/') && (1..=max_chars).contains(&line.chars().count())).then_some(line)
}

/// A text of several lines, of at most `max_chars`.
pub(crate) fn lines(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    (!text.starts_with('/') && (1..=max_chars).contains(&text.chars().count())).then(|| text.to_owned())
}

/// So'm: digits, which may have blanks between them and the currency behind them.
pub(crate) fn price(text: &str) -> Option<Tiyin> {
    amount(text).filter(|price| *price > Tiyin::ZERO)
}

/// The same, or zero.
pub(crate) fn amount(text: &str) -> Option<Tiyin> {
    let text = text.to_lowercase();
    let digits = ["so'm", "so‘m", "soʻm", "so’m", "som", "sum", "сум", "сўм", "uzs"]
        .into_iter()
        .find_map(|name| text.trim_end().strip_suffix(name))
        .unwrap_or(&text);
    let digits: String = digits.chars().filter(|character| !character.is_whitespace()).collect();
    Tiyin::parse_soum(&digits).ok()
}

pub(crate) fn count(text: &str, max: u32) -> Option<u32> {
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|count| is_number && *count <= max)
}

/// Pieces; of what is sold by weight an amount, rounded down to portions.
pub(crate) fn stock(text: &str, portion: Option<Portion>) -> Option<u32> {
    let Some(portion) = portion else { return count(text, STOCK_MAX) };
    let (count, _) = portion.count_in(portion.thousandths_in(text)?)?;
    (count <= STOCK_MAX).then_some(count)
}

/// 1 to 99, with or without its sign.
pub(crate) fn percent(text: &str) -> Option<u8> {
    let text = text.trim();
    let number = count(text.strip_suffix('%').unwrap_or(text), 99)?;
    u8::try_from(number).ok().filter(|percent| *percent > 0)
}

/// A number of digits, without the blanks that copied codes have.
pub(crate) fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<String> {
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && lengths.contains(&digits.len())).then_some(digits)
}

/// The end of a day, `31.12.2026`, in Tashkent.
pub(crate) fn end_of_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.trim().split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let next = date.checked_add(Duration::DAY)?;
    Some(next.with_time(Time::MIDNIGHT).assume_offset(TASHKENT))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn prices_are_read_in_the_usual_forms_and_other_text_is_refused() {
        let soum = |amount| Tiyin::from_soum(amount).ok();
        for text in ["15000", "15 000", " 15\u{a0}000 so'm", "15 000 сум", "15000.00", "15000 SO‘M"] {
            assert_eq!(price(text), soum(15_000), "{text:?}");
        }
        for text in
            ["", "0", "-5", "1e3", "15,000", "15.000", "2*3", "nan", "so'm", "ming", "99999999999999999999"]
        {
            assert_eq!(price(text), None, "{text:?}");
        }
        assert_eq!(amount("0"), Some(Tiyin::ZERO));
    }

    #[test]
    fn stock_is_a_whole_number() {
        assert_eq!(stock("0", None), Some(0));
        assert_eq!(stock(" 1 200 ", None), Some(1_200));
        for text in ["", "-1", "+5", "1.5", "5 ta", "1000001", "99999999999"] {
            assert_eq!(stock(text, None), None, "{text:?}");
        }
        assert_eq!(percent("10%"), Some(10));
        assert_eq!(percent("0"), None);
        assert_eq!(percent("100"), None);
    }

    #[test]
    fn a_date_ends_with_its_day_in_tashkent() {
        assert_eq!(end_of_day("31.12.2026"), Some(datetime!(2027-01-01 00:00 +5)));
        assert_eq!(end_of_day("1.2.2027"), Some(datetime!(2027-02-02 00:00 +5)));
        for text in ["", "31.02.2027", "2027-01-01", "31.12.26", "31/12/2026", "1.2.3.4", "ertaga"] {
            assert_eq!(end_of_day(text), None, "{text:?}");
        }
    }

    #[test]
    fn titles_are_one_line_and_not_a_command() {
        assert_eq!(line("  Choy \n qoshiq ", 100).as_deref(), Some("Choy qoshiq"));
        assert_eq!(line("/admin", 100), None);
        assert_eq!(line("abcd", 3), None);
        assert_eq!(lines(" a\nb ", 100).as_deref(), Some("a\nb"));
        assert_eq!(digits("06912 001 001 000000", 17..=17).as_deref(), Some("06912001001000000"));
        assert_eq!(digits("123", 17..=17), None);
    }
}
