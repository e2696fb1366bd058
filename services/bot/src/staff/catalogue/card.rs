//! A product and a category as staff see them.

use std::collections::BTreeSet;

use teloxide::utils::html::escape;
use tolov_domain::{Language, ProductId, order::Portion};
use tolov_shop::catalogue::{
    Product, Variant,
    stock::{Hold, HoldState},
};

use crate::{
    conversation::screen::{fits, fitting_beside},
    texts::{Html, amount, t, unit_price},
};

/// More variants than this do not fit under a photo.
const VARIANTS_SHOWN: usize = 8;

/// What a shopper sees of a product, and a text for staff below. Where both do not fit under a photo, the description is cut,
/// then variants are counted instead of listed.
pub(super) fn preview(language: Language, product: &Product, below: &str) -> String {
    let has_photo = product.photo.is_some();
    let title = t!(language, "edit-product-preview-title", title = product.title);
    let mut shown = product.variants.len().min(VARIANTS_SHOWN);
    loop {
        let end = format!("{}\n\n{below}", offer(language, product, shown));
        // With the line break above the description.
        let others = format!("{title}\n\n{end}");
        if shown == 0 || fits(&others, has_photo) {
            let description = fitting_beside(&product.description, &others, has_photo);
            return match description.as_str() {
                "" => format!("{title}\n{end}"),
                text => format!("{title}\n{}\n{end}", escape(text)),
            };
        }
        shown = shown.saturating_sub(1);
    }
}

/// Price and stock, or the first of the variants with theirs.
fn offer(language: Language, product: &Product, shown: usize) -> String {
    if product.variants.is_empty() {
        let price = unit_price(language, product.price, product.portion);
        let stock = stock_words(language, product.stock, product.portion);
        return t!(language, "edit-product-price-stock", price = price, stock = stock);
    }
    let mut html = String::new();
    for variant in product.variants.iter().take(shown) {
        html.push('\n');
        html.push_str(&variant_line(language, product.portion, variant));
    }
    let more = product.variants.len().saturating_sub(shown);
    if more > 0 {
        html.push('\n');
        html.push_str(&t!(language, "edit-product-variants-more", count = more));
    }
    html
}

pub(super) fn variant_line(language: Language, portion: Option<Portion>, variant: &Variant) -> String {
    t!(
        language,
        "edit-variant-line",
        label = variant.label,
        price = unit_price(language, variant.price, portion),
        stock = stock_words(language, variant.stock, portion)
    )
}

fn stock_words(language: Language, stock: Option<u32>, portion: Option<Portion>) -> String {
    match stock {
        None => t!(language, "edit-stock-uncounted"),
        Some(0) => t!(language, "edit-stock-none"),
        Some(count) => pieces_text(language, count, portion),
    }
}

/// `3 dona`, or `1,5 kg`.
pub(super) fn pieces_text(language: Language, count: u32, portion: Option<Portion>) -> String {
    match portion {
        Some(portion) => amount(language, portion, count),
        None => t!(language, "edit-stock-count", count = count),
    }
}

/// What only staff see, below the preview.
pub(super) fn details(language: Language, product: &Product, category: Option<&str>) -> String {
    let no_category = t!(language, "edit-product-no-category");
    let category = category.map_or(Html(no_category), |title| Html(escape(title)));
    let mut html = t!(language, "edit-product-details", id = product.id, category = category);
    let mut line = |text: String| {
        html.push('\n');
        html.push_str(&text);
    };
    if let Some(portion) = product.portion {
        line(t!(language, "edit-product-portion", portion = amount(language, portion, 1)));
    }
    if product.photos().len() > 1 {
        line(t!(language, "edit-product-photos", count = product.photos().len()));
    }
    if product.hidden {
        line(t!(language, "edit-product-is-hidden"));
    }
    let holds = Holds::of(product);
    if holds.orders > 0 {
        let pieces = pieces_text(language, holds.pieces, product.portion);
        line(t!(language, "edit-product-holds", count = holds.orders, pieces = pieces));
    }
    let fiscal = &product.fiscal;
    if let Some(mxik) = &fiscal.mxik {
        line(t!(language, "edit-product-mxik", mxik = mxik));
    }
    if let Some(code) = &fiscal.package_code {
        line(t!(language, "edit-product-package", code = code));
    }
    if let Some(percent) = fiscal.vat_percent {
        line(t!(language, "edit-product-vat", percent = percent));
    }
    html
}

/// What is held of a product for unpaid orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Holds {
    pub(super) orders: usize,
    pub(super) pieces: u32,
}

impl Holds {
    pub(super) fn of(product: &Product) -> Self {
        Self::among(product.holds.iter())
    }

    /// Those of one of its articles.
    pub(super) fn of_article(product: &Product, id: ProductId) -> Self {
        Self::among(product.holds.iter().filter(|hold| hold.article_id == id))
    }

    fn among<'a>(holds: impl Iterator<Item = &'a Hold>) -> Self {
        let mut orders = BTreeSet::new();
        let mut pieces: u32 = 0;
        for hold in holds.filter(|hold| hold.state == HoldState::Held) {
            orders.insert(hold.order_id);
            pieces = pieces.saturating_add(hold.count);
        }
        Self { orders: orders.len(), pieces }
    }
}

/// The label of a button that opens a product.
pub(super) fn product_label(language: Language, product: &Product) -> String {
    let mark = if product.hidden {
        "🙈 "
    } else if product.is_sold_out() {
        "▫️ "
    } else {
        ""
    };
    format!("{mark}{} · {}", product.title, unit_price(language, product.price_from(), product.portion))
}

pub(super) fn category_label(title: &str, hidden: bool) -> String {
    if hidden { format!("🙈 {title}") } else { title.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use tolov_domain::{OrderId, Tiyin};
    use tolov_shop::catalogue::Fiscal;

    use super::*;

    pub(in super::super) fn teapot() -> Product {
        Product {
            title: "Choynak <katta>".to_owned(),
            description: "Sopol, 1 litr".to_owned(),
            hidden: true,
            price: Tiyin::from_soum(90_000).unwrap(),
            stock: Some(3),
            fiscal: Fiscal { mxik: Some("06912001001000000".to_owned()), ..Fiscal::default() },
            ..Product::new(ProductId::try_new(7).unwrap(), 1)
        }
        .seal()
    }

    #[test]
    fn a_card_shows_the_preview_and_the_details_for_staff() {
        let mut product = teapot();
        let order_id = OrderId::try_new(1).unwrap();
        product.holds.push(Hold {
            order_id,
            article_id: product.id,
            count: 2,
            state: HoldState::Held,
            since: 1,
            by_refund: false,
        });
        let seen = preview(Language::En, &product, "");
        assert!(seen.contains("Choynak &lt;katta&gt;") && seen.contains("90\u{a0}000\u{a0}UZS"), "{seen}");
        let known = details(Language::En, &product, Some("Idish & tovoq"));
        for part in ["7", "Idish &amp; tovoq", "06912001001000000", "2"] {
            assert!(known.contains(part), "{part} is not in {known}");
        }
        assert_eq!(Holds::of(&product), Holds { orders: 1, pieces: 2 });
        assert_eq!(product_label(Language::En, &product), "🙈 Choynak <katta> · 90\u{a0}000\u{a0}UZS");
    }

    fn full(label: &str) -> Product {
        let variant = |number| Variant {
            id: ProductId::try_new(number).unwrap(),
            label: format!("{label}{number}"),
            price: Tiyin::from_soum(90_000).unwrap(),
            stock: Some(3),
        };
        Product {
            photo: Some("photo".to_owned()),
            description: "Sopol & loy. ".repeat(46),
            variants: (10..22).map(variant).collect(),
            ..teapot()
        }
    }

    #[test]
    fn under_a_photo_only_the_description_is_cut() {
        let product = full("Katta qizil choynak, sovg'a qutisida ");
        for language in Language::ALL {
            let below = details(language, &product, Some("Idish"));
            let html = preview(language, &product, &below);
            assert!(fits(&html, true), "{}", html.len());
            assert!(
                html.contains("Sopol &amp; loy.") && html.contains('…') && html.ends_with(&below),
                "{html}"
            );
            assert!(below.contains("06912001001000000") && html.contains("qutisida 17"), "{html}");
        }
        let without = Product { photo: None, ..product };
        assert!(preview(Language::En, &without, "").contains(escape(&without.description).trim_end()));
    }

    #[test]
    fn fewer_variants_are_listed_where_their_labels_do_not_fit() {
        let product = full(&"<&>".repeat(12));
        let below = details(Language::Uz, &product, Some("Idish"));
        let html = preview(Language::Uz, &product, &below);
        assert!(fits(&html, true) && html.ends_with(&below), "{html}");
        let lines = html.lines().filter(|line| line.starts_with('•')).count();
        assert!((1..VARIANTS_SHOWN).contains(&lines), "{lines}");
        assert!(html.contains(&t!(Language::Uz, "edit-product-variants-more", count = 12 - lines)), "{html}");
    }
}
