//! Fiscal receipts: products that cannot be on one.

use tolov_bot::ReceiptDefaults;
use tolov_shop::catalogue;

use super::report::Finding;
use crate::adapters::{Shop, ShopAddress, ShopDiagnosis, diagnose_shop};

/// So many titles are named.
const NAMED_MAX: usize = 5;

/// Says nothing of a store that cannot be read: its own check does.
pub(super) async fn check(address: &ShopAddress, defaults: &ReceiptDefaults) -> Vec<Finding> {
    if !matches!(diagnose_shop(address).await, Ok(ShopDiagnosis::MongoDb(_) | ShopDiagnosis::Embedded(_))) {
        return Vec::new();
    }
    let Ok(shop) = Shop::open(address).await else { return Vec::new() };
    let products = catalogue::products(shop.store().as_ref()).await;
    shop.close().await;
    let Ok(products) = products else { return Vec::new() };
    let lacking: Vec<&str> = products
        .iter()
        .filter(|product| !product.hidden && !defaults.completes(&product.fiscal))
        .map(|product| product.title.as_str())
        .collect();
    if lacking.is_empty() {
        return vec![Finding::good("receipts-good")];
    }
    let named = lacking.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    vec![Finding::doubtful("receipts-codes").with("count", lacking.len()).with("products", named)]
}
