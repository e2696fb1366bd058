//! Orders as shoppers place them: a cart with a hot product and another one, now and then a promo code.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tolov_domain::{
    OrderId, OrderedProduct, Phone, ProductId, Tiyin, UserId,
    ports::documents::{Collection, Documents, Key},
};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_shop::{
    catalogue::Product,
    order::{Delivery, PaymentLink, ShopOrder},
    promo::{Off, PromoCode},
    records,
    shopper::{
        self, cart,
        checkout::{self, Agreement, Placed},
    },
};

/// In every cart.
pub(super) const HOT: i64 = 1;
const OTHERS: i64 = 200;
pub(super) const STOCK: u32 = 1_000_000;
/// Who check out at the same time.
pub(crate) const SHOPPERS: usize = 16;
const CODE: &str = "BENCH";
/// The bot's own collection.
const ORDER_MESSAGES: Collection = Collection::new("order_messages", &[]);
/// Who buys with such a number uses the promo code.
pub(crate) const PROMO_EVERY: i64 = 10;

pub(crate) async fn stock_up(shop: &dyn Documents) -> Result<()> {
    for number in HOT..=HOT + OTHERS {
        let product = Product {
            title: format!("Product {number}"),
            price: Tiyin::from_soum(15_000)?,
            stock: Some(STOCK),
            ..Product::new(id(number)?, 1)
        };
        records::insert(shop, &product.seal()).await?;
    }
    let code = PromoCode {
        code: CODE.to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: tolov_shop::promo::USES_MAX,
        uses_per_shopper_max: 1,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    };
    records::insert(shop, &code).await?;
    Ok(())
}

pub(crate) async fn fill_carts(shop: &dyn Documents, wave: &[i64]) -> Result<()> {
    for number in wave {
        for article in [HOT, HOT + 1 + number % OTHERS] {
            let line = OrderedProduct { product_id: id(article)?, count: 1 };
            cart::set(shop, shopper_of(*number)?, line).await?;
        }
        if number % PROMO_EVERY == 0 {
            let code = Some(CODE.to_owned());
            shopper::change(shop, shopper_of(*number)?, |shopper| shopper.promo_code.clone_from(&code))
                .await?;
        }
    }
    Ok(())
}

/// Checks out as the bot does it; the ledger is left out.
pub(crate) async fn place(shop: &dyn Documents, number: i64) -> Result<ShopOrder> {
    let (user_id, order_id, now) = (shopper_of(number)?, OrderId::try_new(number)?, SystemClock.now());
    let agreement = Agreement {
        user_id,
        quote: cart::quote(shop, user_id, now).await?,
        delivery: Delivery::Pickup,
        delivery_price: Tiyin::ZERO,
        phone: Phone::parse("+998901234567").context("a phone number")?,
        comment: None,
    };
    let placed = checkout::place(shop, order_id, &agreement, now).await?;
    ensure!(matches!(placed, Placed::Order(_)), "order {number}: {placed:?}");
    let link = PaymentLink { url: "https://my.click.uz/services/pay".to_owned(), pay_until: None };
    let registered = checkout::registered(shop, order_id, &link, now).await?;
    show(shop, number).await?;
    Ok(registered.context("an order was not registered")?.0)
}

/// The shopper's message with the order, as the bot keeps it; it is edited when the order is paid.
async fn show(shop: &dyn Documents, number: i64) -> Result<()> {
    let place = json!({ "chat_id": shopper_of(number)?, "message_id": number });
    let messages = json!({ "schema": 1, "id": number, "shopper": place });
    let body = messages.as_object().context("messages of an order")?;
    shop.put(ORDER_MESSAGES, &Key::Number(number), None, body).await?;
    Ok(())
}

pub(super) fn id(number: i64) -> Result<ProductId> {
    Ok(ProductId::try_new(number)?)
}

pub(crate) fn shopper_of(number: i64) -> Result<UserId> {
    Ok(UserId::try_new(5_000 + number)?)
}
