//! Search by name: what is typed where nothing else is waited for.

use tolov_domain::{Language, ProductId};
use tolov_shop::{
    catalogue::{self, Product, fold},
    shopper::cart,
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::{SearchResults, Step},
        error::HandlerResult,
        pages::Page,
        screen::{Button, Screen},
    },
    shopper::{
        account::start,
        catalogue::browse::{product_rows, shortened},
        menu,
    },
    texts::{l, t},
};

/// No title is longer.
const QUERY_MAX_CHARS: usize = 100;

/// /search, with or without words.
pub(crate) async fn command(ctx: Ctx, words: String) -> HandlerResult {
    if fold(&words).is_empty() { ask(ctx).await } else { look_for(ctx, &words).await }
}

/// The button.
pub(crate) async fn ask(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.wait_for(Step::Search);
    ctx.show(question(ctx.language)).await
}

/// A message that came while nothing, or a search, was waited for.
pub(crate) async fn typed(ctx: Ctx) -> HandlerResult {
    // From a keyboard that the phone still shows.
    if ctx.message().is_some_and(|message| message.contact().is_some()) {
        return start::take_phone(ctx).await;
    }
    let text = ctx.text().map(str::to_owned).unwrap_or_default();
    if text.starts_with('/') || fold(&text).is_empty() {
        return menu::hint(ctx).await;
    }
    look_for(ctx, &text).await
}

/// Another page of the last search.
pub(crate) async fn page(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.leave_step().await?;
    match ctx.search() {
        Some(found) => show(ctx, SearchResults { page, ..found }).await,
        None => ctx.stale().await,
    }
}

async fn look_for(ctx: Ctx, text: &str) -> HandlerResult {
    ctx.leave_step().await?;
    show(ctx, SearchResults { query: shortened(text, QUERY_MAX_CHARS), page: 0 }).await
}

/// Searches again, so that no page shows what has been hidden since.
async fn show(ctx: Ctx, wanted: SearchResults) -> HandlerResult {
    let ids = ctx.deps.catalogue().await?.search(&wanted.query);
    let page = Page::of(&ids, wanted.page);
    let products = catalogue::shown_products(ctx.documents(), page.items).await?;
    let products = cart::with_own_holds(ctx.documents(), ctx.id(), products, 0).await?;
    let found = SearchResults { page: page.number, ..wanted };
    let screen = screen(ctx.language, &found.query, ids.len(), &page, &products);
    ctx.update(|dialogue| dialogue.search = Some(found));
    ctx.show(screen).await
}

fn question(language: Language) -> Screen {
    Screen::new(t!(language, "search-ask"))
        .row([Button::SearchHere { label: l!(language, "search-inline") }])
        .row([Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu)])
}

/// `count`: of all that was found; `products` are those of the page.
fn screen(
    language: Language,
    query: &str,
    count: usize,
    page: &Page<'_, ProductId>,
    products: &[Product],
) -> Screen {
    let again = Button::callback(l!(language, "search-again"), ShopCallback::Search);
    let menu = Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu);
    if count == 0 {
        return Screen::new(t!(language, "search-nothing", query = query))
            .row([
                Button::callback(l!(language, "menu-catalogue"), ShopCallback::Categories { page: 0 }),
                again,
            ])
            .row([Button::callback(l!(language, "menu-support"), ShopCallback::AskSupport), menu]);
    }
    Screen::new(t!(language, "search-found", query = query, count = count))
        .rows(product_rows(language, products))
        .row(page.buttons(|page| ShopCallback::FoundPage { page }))
        .row([again, menu])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shopper::catalogue::browse::tests::{product, rows};

    #[test]
    fn results_are_counted_listed_and_paged() {
        let products: Vec<_> = (1..=9).map(|number| product(number, "Choy", 1_000, None)).collect();
        let ids: Vec<_> = products.iter().map(|product| product.id).collect();
        let said = |language, count: usize| {
            screen(language, "<choy>", count, &Page::of(&ids[..count], 0), &products[..count]).html
        };
        assert_eq!(said(Language::Uz, 1), "🔎 «&lt;choy&gt;»: 1\u{a0}ta mahsulot topildi");
        assert_eq!(said(Language::Ru, 1), "🔎 «&lt;choy&gt;»: найден 1 товар");
        assert_eq!(said(Language::Ru, 3), "🔎 «&lt;choy&gt;»: найдено 3 товара");
        assert_eq!(said(Language::Ru, 5), "🔎 «&lt;choy&gt;»: найдено 5 товаров");
        assert_eq!(said(Language::En, 1), "🔎 “&lt;choy&gt;”: 1 product found");
        let all = screen(Language::En, "choy", 9, &Page::of(&ids, 1), &products[8..]);
        assert_eq!(
            rows(&all),
            [vec!["Choy · 1\u{a0}000\u{a0}UZS"], vec!["◀️", "2 / 2"], vec!["🔎 Search again", "🏠 Menu"]]
        );
    }

    #[test]
    fn a_search_without_results_offers_other_ways() {
        for language in Language::ALL {
            let nothing = screen(language, "zzz", 0, &Page::of(&[], 0), &[]);
            assert!(nothing.html.contains("zzz"), "{}", nothing.html);
            assert_eq!(rows(&nothing).len(), 2);
        }
    }
}
