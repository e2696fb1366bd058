//! Search by name as people type: in any case, with any of the characters used for the Uzbek apostrophe, ё as е.

use std::collections::BTreeSet;

use tolov_domain::ports::{PortError, documents::Documents};

use super::{
    product::Product,
    queries::{categories, products},
};

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

/// The products that match a query and a shopper may see, best first. An empty query finds all of them; those in a hidden
/// category are not found.
pub async fn search(documents: &dyn Documents, query: &str) -> Result<Vec<Product>, PortError> {
    let mut products = products(documents).await?;
    let categories = categories(documents).await?;
    let hidden: BTreeSet<i64> =
        categories.into_iter().filter(|category| category.hidden).map(|category| category.id).collect();
    products.retain(|product| !hidden.contains(&product.category_id));
    Ok(found(products, query))
}

fn found(products: Vec<Product>, query: &str) -> Vec<Product> {
    let query = fold(query);
    let words: Vec<&str> = query.split(' ').filter(|word| !word.is_empty()).collect();
    let mut ranked: Vec<(usize, Product)> = products
        .into_iter()
        .filter(|product| !product.hidden)
        .filter_map(|product| Some((rank(&searched(&product), &words)?, product)))
        .collect();
    ranked.sort_by_key(|(rank, product)| (*rank, product.id));
    ranked.into_iter().map(|(_, product)| product).collect()
}

/// The title with the labels of the variants.
fn searched(product: &Product) -> String {
    let mut text = product.title.clone();
    for variant in &product.variants {
        text.push(' ');
        text.push_str(&variant.label);
    }
    fold(&text)
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
}
