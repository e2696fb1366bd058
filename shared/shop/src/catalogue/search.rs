//! Search by name as people type: in any case, with any of the characters used for the Uzbek apostrophe, in Latin or Cyrillic
//! letters, and with a mistake in a word where nothing is found otherwise.

use tolov_domain::ProductId;

use super::product::Product;

/// A text as it is compared: in lower case, without apostrophes, anything but letters and digits as a blank.
///
/// Apostrophes are removed rather than unified because many people leave them out: `choy qoshiq` finds `Choy qo'shiq`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            '\'' | '`' | '\u{2018}' | '\u{2019}' | '\u{02bb}' | '\u{02bc}' | '\u{00b4}' | '\u{2032}' => {}
            'ё' => folded.push('е'),
            _ if character.is_alphanumeric() => folded.push(character),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A folded text in Latin letters, so that `чой` finds `Choy`, and `choy` finds `Чой`.
fn latin(folded: &str) -> String {
    let mut latin = String::with_capacity(folded.len());
    for character in folded.chars() {
        latin.push_str(match character {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' | 'ғ' => "g",
            'д' => "d",
            'е' | 'э' => "e",
            'ж' => "j",
            'з' => "z",
            'и' | 'ы' => "i",
            'й' => "y",
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' | 'ў' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => "x",
            'ц' => "ts",
            'ч' => "ch",
            'ш' | 'щ' => "sh",
            'ъ' | 'ь' => "",
            'ю' => "yu",
            'я' => "ya",
            'қ' => "q",
            'ҳ' => "h",
            other => {
                latin.push(other);
                continue;
            }
        });
    }
    latin
}

/// From this length on a word is found with one letter that is wrong, missing or too many.
const LONG_WORD: usize = 4;

/// Whether a word of the title begins like this one, but for one letter.
fn is_nearly_in(title: &[char], word: &[char]) -> bool {
    let begins_nearly = |other: &[char]| {
        (word.len() - 1..=word.len() + 1)
            .any(|length| other.get(..length).is_some_and(|beginning| differs_in_one_letter(beginning, word)))
    };
    word.len() >= LONG_WORD && title.split(|letter| *letter == ' ').any(begins_nearly)
}

/// Whether two words are the same but for one letter that is another, or is there in one of them alone.
fn differs_in_one_letter(one: &[char], other: &[char]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let same = short.iter().zip(long).take_while(|(short, long)| short == long).count();
    match long.len() - short.len() {
        0 => short.get(same + 1..) == long.get(same + 1..),
        1 => short.get(same..) == long.get(same + 1..),
        _ => false,
    }
}

/// How well a folded title matches folded words, smaller being better; `None`: a word is missing. A match early in the
/// title and at the beginning of a word is better.
fn rank(title: &str, words: &[&str]) -> Option<usize> {
    let mut worst = 0;
    for word in words {
        let at = title.find(word)?;
        let begins_a_word = title.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(' '));
        worst = worst.max(if begins_a_word { at } else { at + 1_000 });
    }
    Some(worst)
}

/// A product as it is searched for.
#[derive(Debug)]
pub(super) struct Title {
    id: ProductId,
    /// Its title with the labels of its variants, folded, in Latin letters.
    text: String,
    letters: Box<[char]>,
}

impl Title {
    pub(super) fn of(product: &Product) -> Self {
        let labels = product.variants.iter().map(|variant| variant.label.as_str());
        let words: Vec<&str> = std::iter::once(product.title.as_str()).chain(labels).collect();
        let text = latin(&fold(&words.join(" ")));
        Self { id: product.id, letters: text.chars().collect(), text }
    }
}

/// The products that match a query, best first. An empty query finds all of them.
pub(super) fn find(titles: &[Title], query: &str) -> Vec<ProductId> {
    let query = latin(&fold(query));
    let words: Vec<&str> = query.split(' ').filter(|word| !word.is_empty()).collect();
    let ranked = titles.iter().filter_map(|title| Some((rank(&title.text, &words)?, title.id)));
    let mut ranked: Vec<(usize, ProductId)> = ranked.collect();
    if ranked.is_empty() {
        let words: Vec<(&str, Vec<char>)> =
            words.into_iter().map(|word| (word, word.chars().collect())).collect();
        let is_nearly = |title: &&Title| {
            words
                .iter()
                .all(|(word, letters)| title.text.contains(word) || is_nearly_in(&title.letters, letters))
        };
        return titles.iter().filter(is_nearly).map(|title| title.id).collect();
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_every_kind_of_apostrophe_are_folded() {
        for text in ["Qo'shiq", "QO‘SHIQ", "qo`shiq", "qoʻshiq", "qoʼshiq", "Qo’shiq", "qoshiq"] {
            assert_eq!(fold(text), "qoshiq", "{text:?}");
        }
        assert_eq!(fold("  Чай «Зелёный», 95!"), "чай зеленый 95");
    }

    fn found_titles<'a>(titles: &[&'a str], query: &str) -> Vec<&'a str> {
        let product = |(number, title): (i64, &&str)| Product {
            title: (*title).to_owned(),
            ..Product::new(ProductId::try_new(number).unwrap(), 1)
        };
        let products: Vec<Title> = (1..).zip(titles).map(|title| Title::of(&product(title))).collect();
        let found = find(&products, query);
        let is_found = |title: &Title| found.contains(&title.id);
        titles.iter().zip(&products).filter(|(_, title)| is_found(title)).map(|(title, _)| *title).collect()
    }

    #[test]
    fn latin_and_cyrillic_letters_find_each_other() {
        let titles = ["Ko‘k choy 95", "Чой, қора", "Adras ko‘ylak", "Кофе"];
        for (query, expected) in [
            ("чой", &titles[..2]),
            ("choy", &titles[..2]),
            ("КЎЙЛАК", &titles[2..3]),
            ("qora", &titles[1..2]),
            ("kofe", &titles[3..]),
        ] {
            assert_eq!(found_titles(&titles, query), expected, "{query}");
        }
    }

    #[test]
    fn one_wrong_letter_of_a_long_word_is_forgiven_where_nothing_else_is_found() {
        let titles = ["Ko‘k choy 95", "Adras ko‘ylak", "Non"];
        for (query, expected) in [
            ("чай", &titles[..1]),
            ("chay", &titles[..1]),
            ("куйлак", &titles[1..2]),
            ("koylk", &titles[1..2]),
            ("adrass", &titles[1..2]),
            ("nan", &titles[..0]),
            ("choy", &titles[..1]),
            ("kitob", &titles[..0]),
        ] {
            assert_eq!(found_titles(&titles, query), expected, "{query}");
        }
    }
}
