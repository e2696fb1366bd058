//! Fiscal receipts: what the order keeps for one, and what the ledger's event does to it.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{EventKind, notification::Announcement, receipt::Fiscal};
use tolov_shop::{
    catalogue::{self, Product},
    order,
    settling::settle,
    shopper::{self, cart},
};

use crate::shop::{
    NOON, TEA, completed, event, minutes, open_shop, order_id, pieces, placed, user_id, waiting,
};

const URL: &str = "https://ofd.soliq.uz/check?t=UZ1&r=2";

#[tokio::test]
async fn a_receipt_is_kept_with_its_order_and_is_news_to_the_shopper() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 2)]).await;
    let bought = waiting(1, &[pieces(TEA, 2)]);
    let issued = event(&bought, EventKind::ReceiptIssued { url: URL.to_owned() }, minutes(30));
    // The two events may overtake each other.
    for event in [&issued, &completed(&bought, false), &issued] {
        let settled = settle(&shop, std::slice::from_ref(event)).await.unwrap().remove(0);
        assert_eq!(settled.announcement, Announcement::Event { stock_settled: true });
    }
    let order = order::order(&shop, order_id(1)).await.unwrap().unwrap();
    assert_eq!((order.receipt_url.as_deref(), order.is_paid()), (Some(URL), true));
}

#[tokio::test]
async fn the_lines_of_an_order_keep_the_codes_of_their_products() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    let codes = Fiscal {
        mxik: Some("01234567890123456".to_owned()),
        package_code: Some("1506113".to_owned()),
        vat_percent: Some(12),
    };
    let set = codes.clone();
    catalogue::change(&shop, TEA, move |product: &mut Product| product.fiscal = set.clone()).await.unwrap();
    shopper::change(&shop, user_id(5551), |shopper| shopper.set_cart_line(pieces(TEA, 2))).await.unwrap();
    let quote = cart::quote(&shop, user_id(5551), NOON).await.unwrap();
    assert_eq!(quote.order_lines()[0].fiscal, Some(codes));
}
