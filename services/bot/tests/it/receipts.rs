//! The fiscal receipt of an order: its shopper is told, and its post shows it.

use tolov_domain::{
    EventId,
    notification::{Notification, Subject},
};
use tolov_shop::{order::ShopOrder, records};

use crate::{
    orders::posted,
    world::{STAFF, World, for_shopper},
};

const URL: &str = "https://ofd.soliq.uz/check?t=UZ1&r=2";

#[tokio::test]
async fn the_receipt_is_told_in_the_shoppers_language_and_is_on_the_staff_post() {
    let world = World::new().await;
    let bot = world.run_bot();
    posted(&world, 1024).await;
    records::change(&world.shop.documents, 1024_i64, |order: &mut ShopOrder| {
        order.receipt_url = Some(URL.to_owned());
    })
    .await
    .unwrap();
    world.bus.deliver(&Notification {
        notification_id: EventId::new("receipt.issued:1024/shopper"),
        subject: Subject::ReceiptIssued { url: URL.to_owned() },
        ..for_shopper(1024, 5551)
    });
    world.bus.until_empty().await;
    let told = world.telegram.shown("5551");
    let is_told = |text: &String| text.contains("buyurtma cheki") && text.contains("t=UZ1&amp;r=2");
    assert_eq!(told.iter().filter(|text| is_told(text)).count(), 1, "{told:?}");
    world.telegram.until_edited_to(STAFF, "Chek").await;
    bot.stop().await;
}
