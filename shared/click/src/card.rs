//! Card numbers that people write where none belongs.

use std::ops::RangeInclusive;

/// The digits of a card number. CLICK's numbers have fewer today, and so have our order numbers always.
const DIGITS: RangeInclusive<usize> = 13..=19;
/// How many are left to read.
const SHOWN: usize = 4;

/// The text with all but the last four digits of every number as long as a card's replaced by `*`. Its digits may stand in
/// groups, with one blank or hyphen between.
pub fn hide_numbers(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let mut digits: Vec<usize> = Vec::new();
    for position in 0..=letters.len() {
        match letters.get(position) {
            Some(letter) if letter.is_ascii_digit() => digits.push(position),
            Some(' ' | '-') if digits.last().is_some_and(|last| last + 1 == position) => {}
            _ => {
                if DIGITS.contains(&digits.len()) {
                    digits[..digits.len() - SHOWN].iter().for_each(|digit| letters[*digit] = '*');
                }
                digits.clear();
            }
        }
    }
    letters.into_iter().collect()
}
