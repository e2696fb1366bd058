//! Carts: what they take, and what has changed about them since the shopper looked last.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{Tiyin, order::Portion};
use tolov_shop::{
    catalogue::{Product, Variant},
    order::{OrderState, ShopOrder},
    promo::{self, PromoCode, PromoRefusal, Use},
    records,
    shopper::{
        self,
        cart::{self, CartChange, LINES_MAX, News, Quote},
    },
};

use crate::shop::{
    CODE, LARGE, NOON, SMALL, TEA, article_id, hold, open_shop, order_id, pieces, soum, tea, user_id, waiting,
};

async fn opened() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    shop
}

async fn set(shop: &MemoryDocuments, article: i64, count: u32) -> CartChange {
    cart::set(shop, user_id(1), pieces(article, count)).await.unwrap()
}

async fn quote(shop: &MemoryDocuments) -> Quote {
    cart::quote(shop, user_id(1), NOON).await.unwrap()
}

async fn news(shop: &MemoryDocuments) -> Vec<Option<News>> {
    quote(shop).await.lines.iter().map(|line| line.news).collect()
}

async fn change_tea(shop: &MemoryDocuments, change: impl Fn(&mut Product)) {
    records::change(shop, TEA, |product: &mut Product| change(product)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cart_takes_what_is_in_stock_and_says_how_many_that_is() {
    let shop = opened().await;
    for (article, count, expected) in [
        (TEA, 3, CartChange::Set(3)),
        (TEA, 3, CartChange::Set(3)),
        (TEA, 11, CartChange::OnlyLeft(10)),
        (SMALL, 6, CartChange::OnlyLeft(5)),
        (LARGE, 1_000, CartChange::Set(999)),
        (SMALL, 0, CartChange::Set(0)),
        (20, 1, CartChange::Gone),
        (99, 1, CartChange::Gone),
    ] {
        assert_eq!(set(&shop, article, count).await, expected, "{article} {count}");
    }
    let quote = quote(&shop).await;
    let lines: Vec<(&str, u32)> = quote.lines.iter().map(|line| (line.title.as_str(), line.count)).collect();
    assert_eq!(lines, [("Choy", 10), ("Futbolka · L", 999)]);
    assert_eq!(quote.goods, soum(10 * 15_000 + 999 * 90_000));
    assert!(quote.is_sold() && !quote.must_be_seen());
}

#[tokio::test]
async fn what_the_own_unpaid_order_holds_is_sold_out_for_others_alone() {
    let shop = opened().await;
    let all = [pieces(TEA, 10)];
    let order = ShopOrder { user_id: user_id(1), ..waiting(1001, &all) };
    records::insert(&shop, &order).await.unwrap();
    hold(&shop, order.id, &all).await;
    assert_eq!(set(&shop, TEA, 10).await, CartChange::Set(10));
    assert_eq!(news(&shop).await, [None]);
    assert_eq!(set(&shop, TEA, 11).await, CartChange::OnlyLeft(10));
    assert_eq!(cart::set(&shop, user_id(2), pieces(TEA, 1)).await.unwrap(), CartChange::Gone);
}

#[tokio::test]
async fn the_promo_code_of_the_own_unpaid_order_counts_for_the_order_that_replaces_it() {
    let shop = opened().await;
    let mine = Use { order_id: order_id(1001), user_id: user_id(1) };
    let spend = |promo: &mut PromoCode| {
        promo.uses_max = 1;
        promo.uses.push(mine);
    };
    records::change(&shop, CODE, spend).await.unwrap().unwrap();
    records::insert(&shop, &ShopOrder { user_id: user_id(1), ..waiting(1001, &[]) }).await.unwrap();
    for (user, discount) in [(1, Ok(soum(1_500))), (2, Err(PromoRefusal::UsedUp))] {
        let typed = promo::discount(&shop, CODE, user_id(user), soum(15_000), NOON).await.unwrap();
        assert_eq!(typed, discount, "shopper {user}");
    }
    records::change(&shop, 1001, |order: &mut ShopOrder| order.state = OrderState::Expired).await.unwrap();
    let paid_late = promo::discount(&shop, CODE, user_id(1), soum(15_000), NOON).await.unwrap();
    assert_eq!(paid_late, Err(PromoRefusal::UsedUp), "the order does not wait any more");
}

#[tokio::test]
async fn a_full_cart_takes_more_of_what_is_in_it_and_no_new_article() {
    let shop = opened().await;
    let variant = |number: i64| Variant {
        id: article_id(1_000 + number),
        label: number.to_string(),
        price: soum(1),
        stock: None,
    };
    let most = i64::try_from(LINES_MAX).unwrap();
    let many = Product { id: article_id(900), variants: (1..=most).map(variant).collect(), ..tea(None) };
    records::insert(&shop, &many.seal()).await.unwrap();
    for number in 1..=most {
        assert_eq!(set(&shop, 1_000 + number, 1).await, CartChange::Set(1));
    }
    assert_eq!(set(&shop, TEA, 1).await, CartChange::Full);
    assert_eq!(set(&shop, 1_001, 2).await, CartChange::Set(2));
    assert_eq!(set(&shop, 1_001, 0).await, CartChange::Set(0));
    assert_eq!(set(&shop, TEA, 1).await, CartChange::Set(1));
}

#[tokio::test]
async fn a_change_of_a_line_is_shown_until_it_is_accepted() {
    let shop = opened().await;
    set(&shop, TEA, 4).await;
    let was = soum(15_000);
    for (price, told) in [(16_000, News::Dearer { was }), (14_000, News::Cheaper { was })] {
        change_tea(&shop, |tea| tea.price = soum(price)).await;
        assert_eq!(news(&shop).await, [Some(told)]);
        let quote = quote(&shop).await;
        assert!(quote.is_sold(), "it can be bought at the new price");
        assert_eq!(
            quote.must_be_seen(),
            matches!(told, News::Dearer { .. }),
            "a lower price holds up nobody"
        );
    }
    cart::accept_news(&shop, user_id(1), NOON).await.unwrap();
    assert_eq!(news(&shop).await, [None]);

    change_tea(&shop, |tea| tea.stock = Some(3)).await;
    assert_eq!(news(&shop).await, [Some(News::OnlyLeft(3))]);
    let short = quote(&shop).await;
    assert_eq!((short.is_sold(), short.goods), (false, Tiyin::ZERO));
    cart::accept_news(&shop, user_id(1), NOON).await.unwrap();
    let accepted = quote(&shop).await;
    assert_eq!((accepted.lines[0].count, accepted.goods), (3, soum(42_000)));
}

#[tokio::test]
async fn an_article_that_is_sold_out_hidden_or_gone_keeps_its_title_and_leaves_the_cart_when_accepted() {
    let shop = opened().await;
    set(&shop, TEA, 4).await;
    set(&shop, SMALL, 1).await;
    change_tea(&shop, |tea| tea.stock = Some(0)).await;
    assert_eq!(news(&shop).await, [Some(News::SoldOut), None]);
    change_tea(&shop, |tea| tea.hidden = true).await;
    assert_eq!(news(&shop).await, [Some(News::Gone), None]);
    records::remove::<Product>(&shop, TEA).await.unwrap();
    let gone = quote(&shop).await;
    assert_eq!((gone.lines[0].news, gone.lines[0].title.as_str()), (Some(News::Gone), "Choy"));
    assert_eq!(gone.goods, soum(90_000), "only what can be bought");
    cart::accept_news(&shop, user_id(1), NOON).await.unwrap();
    let left = quote(&shop).await;
    assert_eq!(left.lines.iter().map(|line| line.article_id).collect::<Vec<_>>(), [article_id(SMALL)]);
    assert!(left.is_sold());
}

#[tokio::test]
async fn a_promo_code_gives_its_discount_or_says_why_not() {
    let shop = opened().await;
    set(&shop, TEA, 2).await;
    let enter = async |code: &str| {
        let entered =
            shopper::change(&shop, user_id(1), |shopper| shopper.promo_code = Some(code.to_owned()));
        entered.await.unwrap();
    };
    enter("KUZ").await;
    let unknown = quote(&shop).await;
    assert_eq!(unknown.promo.as_ref().unwrap().discount, Err(PromoRefusal::Unknown));
    assert_eq!((unknown.total(), unknown.promo_code()), (soum(30_000), None));
    enter(CODE).await;
    let known = quote(&shop).await;
    assert_eq!((known.discount(), known.total()), (soum(3_000), soum(27_000)));
    assert_eq!(known.promo_code(), Some(CODE));
}

#[tokio::test]
async fn an_unknown_shopper_has_an_empty_cart() {
    let shop = opened().await;
    assert_eq!(shopper::shopper(&shop, user_id(9)).await.unwrap(), None);
    let nothing = cart::quote(&shop, user_id(9), NOON).await.unwrap();
    assert!(nothing.is_empty() && !nothing.is_sold());
}

#[tokio::test]
async fn clearing_the_cart_of_somebody_unknown_registers_nobody() {
    let shop = opened().await;
    shopper::change(&shop, user_id(9), |shopper| shopper.cart.clear()).await.unwrap();
    assert_eq!(shopper::shopper(&shop, user_id(9)).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_sold_by_weight_is_counted_in_portions_whose_sums_are_exact() {
    let shop = opened().await;
    // 23 999 so'm a kilogram in portions of 300 g: 7 199.70 so'm each. There are 1.5 kg.
    change_tea(&shop, |tea| {
        tea.portion = Portion::parse("300 g");
        tea.price = soum(23_999);
        tea.stock = Some(5);
    })
    .await;
    assert_eq!(set(&shop, TEA, 7).await, CartChange::OnlyLeft(5));
    assert_eq!(set(&shop, TEA, 3).await, CartChange::Set(3));
    let quote = quote(&shop).await;
    let portion_price = Tiyin::try_new(719_970).unwrap();
    assert_eq!((quote.lines[0].price, quote.goods), (portion_price, portion_price.checked_times(3).unwrap()));
    let line = &quote.order_lines()[0];
    assert_eq!((line.count, line.price, line.portion), (3, Some(portion_price), Portion::parse("300 g")));
    let shopper = shopper::shopper(&shop, user_id(1)).await.unwrap().unwrap();
    assert_eq!(shopper.pieces_in_cart(), 1, "one article, not three pieces");
}
