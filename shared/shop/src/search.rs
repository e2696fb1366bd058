//! Search by name, as people type: any case, any of the marks that stand for the Uzbek apostrophe, Cyrillic ё as е.

use std::collections::BTreeSet;

use tolov_domain::ports::{PortError, documents::Documents};

use crate::catalogue::{self, Product};

/// A text as it is compared: lower case, apostrophes of every kind gone, what is no letter and no digit a blank.
///
/// Apostrophes go rather than become one kind, because many leave them out: `choy qoshiq` finds `Choy qo'shiq`.
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

/// How well a folded title answers folded words: all of them must be in it; earlier and at the beginning of a word is
/// better. Smaller is better; `None` is no answer.
fn rank(title: &str, words: &[&str]) -> Option<usize> {
    let mut worst = 0;
    for word in words {
        let at = title.find(word)?;
        let begins_a_word = title.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(' '));
        worst = worst.max(if begins_a_word { at } else { at + 1_000 });
    }
    Some(worst)
}

/// Products that are shown and answer a query, best first. An empty query finds everything; what is in a hidden category
/// is not found.
pub async fn search(documents: &dyn Documents, query: &str) -> Result<Vec<Product>, PortError> {
    let mut products = catalogue::products(documents).await?;
    let categories = catalogue::categories(documents).await?;
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

/// The name with those of the variants.
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
    fn every_apostrophe_and_every_case_is_folded() {
        for text in ["Qo'shiq", "QO‘SHIQ", "qo`shiq", "qoʻshiq", "Qo’shiq", "qoshiq"] {
            assert_eq!(fold(text), "qoshiq", "{text:?}");
        }
        assert_eq!(fold("  Чай «Зелёный», 95!"), "чай зеленый 95");
    }
}
