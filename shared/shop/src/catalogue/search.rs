//! Search by name as people type: in any case, with any of the characters used for the Uzbek apostrophe, in Latin or Cyrillic
//! letters, and with a mistake in a word where nothing is found otherwise.
//!
//! `х`, `ҳ`, `x` and `h` are one letter, because people mix them up. `ё` is `е` for who writes Russian and `yo` for who writes
//! Uzbek, and `е` at the beginning of a word is `ye` too: both spellings are compared.

use memchr::memmem::Finder;
use tolov_domain::ProductId;

use super::product::Product;

/// A text as it is compared: in lower case, without apostrophes, anything but letters and digits as a blank.
///
/// Apostrophes are removed rather than unified because many people leave them out: `choy qoshiq` finds `Choy qo'shiq`.
pub fn fold(text: &str) -> String {
    fold_with(text, "е")
}

fn fold_with(text: &str, yo: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            '\'' | '`' | '\u{2018}' | '\u{2019}' | '\u{02bb}' | '\u{02bc}' | '\u{00b4}' | '\u{2032}' => {}
            'ё' => folded.push_str(yo),
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
            'х' | 'ҳ' | 'x' => "h",
            'ц' => "ts",
            'ч' => "ch",
            'ш' | 'щ' => "sh",
            'ъ' | 'ь' => "",
            'ю' => "yu",
            'я' => "ya",
            'қ' => "q",
            other => {
                latin.push(other);
                continue;
            }
        });
    }
    latin
}

/// A text in Latin letters as it is searched for: with `ё` as `е`, and as Uzbek reads it where that is another spelling.
fn spellings(text: &str) -> (String, Option<String>) {
    let russian = latin(&fold(text));
    let folded = fold_with(text, "йо");
    let word =
        |word: &str| word.strip_prefix('е').map_or_else(|| word.to_owned(), |rest| format!("йе{rest}"));
    let uzbek = latin(&folded.split(' ').map(word).collect::<Vec<_>>().join(" "));
    let other = (uzbek != russian).then_some(uzbek);
    (russian, other)
}

/// Both spellings, one after the other.
fn indexed(text: &str) -> String {
    match spellings(text) {
        (one, Some(other)) => format!("{one} {other}"),
        (one, None) => one,
    }
}

/// A word of a query.
struct Word {
    spellings: Vec<Finder<'static>>,
    letters: Vec<Vec<char>>,
}

impl Word {
    fn of(text: &str) -> Self {
        let (one, other) = spellings(text);
        let spellings: Vec<String> = std::iter::once(one).chain(other).collect();
        Self {
            letters: spellings.iter().map(|word| word.chars().collect()).collect(),
            spellings: spellings.iter().map(|word| Finder::new(word).into_owned()).collect(),
        }
    }

    /// How well it matches a text, smaller being better: at the beginning of a word, and early.
    fn rank(&self, text: &str) -> Option<usize> {
        let ranks = self.spellings.iter().filter_map(|word| {
            let at = word.find(text.as_bytes())?;
            let begins = text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(' '));
            Some(if begins { at } else { at + INSIDE_A_WORD })
        });
        ranks.min()
    }

    fn is_nearly_in(&self, title: &Title) -> bool {
        let is_in = || {
            let letters: Vec<char> = title.text.chars().collect();
            self.letters.iter().any(|word| is_nearly_in(&letters, word))
        };
        self.rank(&title.text).is_some() || is_in()
    }
}

/// Added to the rank of a match inside a word, and of one beside the title: no title is as long.
const INSIDE_A_WORD: usize = 1_000;
const BESIDE_THE_TITLE: usize = 10_000;

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

/// A product as it is searched for.
#[derive(Debug)]
pub(super) struct Title {
    id: ProductId,
    /// Its title with the labels of its variants, folded, in Latin letters.
    text: Box<str>,
    /// The title of its category and its description, in the same way: found, but ranked last.
    beside: Box<str>,
}

impl Title {
    pub(super) fn of(product: &Product, category: &str) -> Self {
        let labels = product.variants.iter().map(|variant| variant.label.as_str());
        let words: Vec<&str> = std::iter::once(product.title.as_str()).chain(labels).collect();
        let text = indexed(&words.join(" ")).into_boxed_str();
        let beside = indexed(&format!("{category} {}", product.description)).into_boxed_str();
        Self { id: product.id, text, beside }
    }

    /// How well it matches all of the words, smaller being better; `None`: a word is missing.
    fn rank(&self, words: &[Word]) -> Option<usize> {
        let rank =
            |word: &Word| word.rank(&self.text).or_else(|| Some(word.rank(&self.beside)? + BESIDE_THE_TITLE));
        words.iter().try_fold(0, |worst, word| Some(rank(word)?.max(worst)))
    }
}

/// The products that match a query, best first. An empty query finds all of them.
pub(super) fn find(titles: &[Title], query: &str) -> Vec<ProductId> {
    // The letters of `ё` are kept for each word.
    let folded = fold_with(query, "ё");
    let words: Vec<Word> = folded.split(' ').filter(|word| !word.is_empty()).map(Word::of).collect();
    let ranked = titles.iter().filter_map(|title| Some((title.rank(&words)?, title.id)));
    let mut ranked: Vec<(usize, ProductId)> = ranked.collect();
    if ranked.is_empty() {
        let is_nearly = |title: &&Title| words.iter().all(|word| word.is_nearly_in(title));
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
        let products: Vec<Title> = (1..).zip(titles).map(|title| Title::of(&product(title), "")).collect();
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
    fn letters_that_people_write_in_several_ways_find_each_other() {
        let titles = ["Yostiq", "Зелёный чай", "Yer yong‘oq", "Хурмо", "Xalva", "Holva"];
        for (query, expected) in [
            ("ёстиқ", &titles[..1]),
            ("зеленый", &titles[1..2]),
            ("зелёный", &titles[1..2]),
            ("Ер ёнғоқ", &titles[2..3]),
            ("xurmo", &titles[3..4]),
            ("ҳурмо", &titles[3..4]),
            ("hurmo", &titles[3..4]),
            ("халва", &titles[4..5]),
            ("holva", &titles[5..]),
        ] {
            assert_eq!(found_titles(&titles, query), expected, "{query}");
        }
        assert_eq!(found_titles(&["Holva"], "халва"), ["Holva"]);
        assert_eq!(found_titles(&["Зеленый чай"], "зелёный"), ["Зеленый чай"]);
        assert_eq!(found_titles(&["Ёстиқ"], "yostiq"), ["Ёстиқ"]);
    }

    #[test]
    fn the_category_and_the_description_are_found_after_titles() {
        let product = |number, title: &str, description: &str| Product {
            title: title.to_owned(),
            description: description.to_owned(),
            ..Product::new(ProductId::try_new(number).unwrap(), 1)
        };
        let titles = [
            Title::of(&product(1, "Ahmad 100 g", "Qora, bargli"), "Choy"),
            Title::of(&product(2, "Piyola", "Choy uchun"), "Idish"),
            Title::of(&product(3, "Ko‘k choy 95", ""), "Ichimlik"),
        ];
        let found = |query| find(&titles, query).into_iter().map(ProductId::get).collect::<Vec<_>>();
        assert_eq!(found("choy"), [3, 1, 2]);
        assert_eq!(found("choy qora"), [1]);
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
