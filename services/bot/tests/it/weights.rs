//! What is sold by weight: from the staff's form to the post of the order.

use serde_json::Value;
use tolov_domain::{
    OrderedProduct, ProductId, Tiyin, UserId,
    order::{OrderLine, Portion},
};
use tolov_shop::{
    catalogue::{self, Product},
    order::{ShopOrder, orders_of},
    records,
};

use crate::{
    orders::posted,
    refunds,
    registering::{SHOPPER, world},
    shopfront::{Chat, text},
    world::World,
};

const OWNER: i64 = 9;

async fn sells_apples(world: &World) {
    let apples = Product {
        title: "Olma".to_owned(),
        portion: Portion::parse("0,5 kg"),
        price: Tiyin::from_soum(24_000).unwrap(),
        stock: Some(25),
        ..Product::new(ProductId::try_new(8).unwrap(), 1)
    };
    catalogue::insert(&world.shop.documents, &apples.seal()).await.unwrap();
}

fn label(shown: &Value, row: usize, place: usize) -> &str {
    shown["reply_markup"]["inline_keyboard"][row][place]["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_weight_is_typed_bought_and_shown_as_one() {
    let (world, ledger) = world().await;
    sells_apples(&world).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: SHOPPER };
    let card = ali.tap("1:p:8").await;
    assert!(text(&card[0]).contains("24\u{a0}000\u{a0}UZS/kg"), "{card:?}");
    let added = ali.tap("1:sc:8:1").await;
    assert_eq!([label(&added[0], 0, 0), label(&added[0], 0, 1)], ["−0.5\u{a0}kg", "0.5\u{a0}kg"]);
    assert!(text(&ali.tap("1:sq:8").await[0]).contains("in steps of 0.5\u{a0}kg"));
    assert!(text(&ali.write("1,3").await[0]).contains("in steps of 0.5\u{a0}kg"), "it goes on asking");
    let card = ali.write("1,5").await;
    assert_eq!(label(card.last().unwrap(), 0, 1), "1.5\u{a0}kg", "{card:?}");
    let cart = ali.tap("1:k").await;
    assert!(text(&cart[0]).contains("1.5\u{a0}kg = <b>36\u{a0}000\u{a0}UZS</b>"), "{cart:?}");
    assert_eq!(label(&cart[0], 0, 1), "1) 1.5\u{a0}kg");
    assert_eq!(label(&ali.tap("1:m").await[0], 1, 1), "🛒 Cart (1)");
    ali.tap("1:co").await;
    ali.tap("1:cog").await;
    let shown = world.telegram.edited("5").pop().unwrap().text;
    assert!(shown.contains("Olma · 1.5\u{a0}kg — 36\u{a0}000\u{a0}UZS"), "{shown}");
    bot.stop().await;
    let order =
        orders_of(&world.shop.documents, UserId::try_new(SHOPPER).unwrap(), 0, 1).await.unwrap().remove(0);
    assert_eq!((order.lines[0].count, order.total), (3, Tiyin::from_soum(36_000).unwrap()));
    assert_eq!(ledger.registered(), [order.id.get()]);
    let apples: Product = records::read(&world.shop.documents, 8).await.unwrap().unwrap();
    assert_eq!(apples.stock, Some(22), "11 kg are left");
}

#[tokio::test]
async fn a_weight_that_goes_back_takes_its_share_of_the_discount_with_it() {
    let (world, ledger) = refunds::world().await;
    let kilos_and_a_half = OrderedProduct { product_id: ProductId::try_new(8).unwrap(), count: 3 };
    ledger.is_paid(1024, Tiyin::from_soum(32_400).unwrap(), vec![kilos_and_a_half]);
    let bot = world.run_bot();
    let post = posted(&world, 1024).await;
    let apples = |order: &mut ShopOrder| {
        order.lines = vec![OrderLine {
            product_id: kilos_and_a_half.product_id,
            count: kilos_and_a_half.count,
            title: "Olma".to_owned(),
            price: Some(Tiyin::from_soum(12_000).unwrap()),
            portion: Portion::parse("0,5 kg"),
            fiscal: None,
        }];
        order.total = Tiyin::from_soum(32_400).unwrap();
        let terms = order.terms.as_mut().unwrap();
        terms.goods = Tiyin::from_soum(36_000).unwrap();
        terms.discount = Tiyin::from_soum(3_600).unwrap();
    };
    records::change(&world.shop.documents, 1024, apples).await.unwrap();
    let asked = ["1:ar:1024", "1:arl:1024", "1:arn:1024:8:2"];
    let chosen = refunds::taps(&world, refunds::OWNER, post, &asked).await;
    assert!(chosen.buttons.to_string().contains("1\u{a0}kg / 1,5\u{a0}kg"), "{}", chosen.buttons);
    // Two of three portions at 12,000, less a tenth.
    assert!(chosen.text.contains("21\u{a0}600"), "{}", chosen.text);
    let confirm = "1:ars:1024:1:1:2160000:0";
    refunds::taps(&world, refunds::OWNER, post, &["1:ara:1024:1:1", confirm]).await;
    bot.stop().await;
    let refund = ledger.refunds(1024).remove(0);
    assert_eq!(refund.amount_tiyin, Tiyin::from_soum(21_600).unwrap());
    assert_eq!(refund.returned, [OrderedProduct { count: 2, ..kilos_and_a_half }]);
}

#[tokio::test]
async fn staff_say_once_how_a_product_is_sold() {
    let (mut world, _ledger) = world().await;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap()];
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    owner.tap("1:gpn:1").await;
    owner.write("Olma").await;
    let asked = owner.write("Qizil").await;
    assert!(text(&asked[0]).contains("How is it sold?"), "{asked:?}");
    assert!(text(&owner.write("kilolab").await[0]).contains("didn’t understand"));
    assert!(text(&owner.write("0,5 kg").await[0]).contains("price of 1\u{a0}kg"));
    assert!(text(&owner.write("24 000").await[0]).contains("to sell (kg)"));
    owner.write("12,7").await;
    let review = owner.tap("1:gpl:f").await;
    assert!(text(&review[0]).contains("24\u{a0}000\u{a0}UZS/kg · 12.5\u{a0}kg"), "{review:?}");
    // A button that nobody was shown changes nothing.
    sells_apples(&world).await;
    owner.tap("1:gpe:8:w").await;
    owner.write("1 kg").await;
    bot.stop().await;
    let apples: Product = records::read(&world.shop.documents, 8).await.unwrap().unwrap();
    assert_eq!(apples.portion, Portion::parse("0,5 kg"));
}
