//! The comparison of a day with the shop store, and the message to the owners about it.

use std::collections::BTreeMap;

use tolov_domain::{
    DayCompared, OrderId, Tiyin,
    day::DIFFERENCES_MAX,
    ports::{
        PortError,
        bus::{OutgoingMessage, Route},
        documents::Documents,
    },
};
use tolov_shop::{order::ShopOrder, records, statistics};

/// Compares what the ledger has as paid on a day with the shop store, both ways. Where the day has more orders than the event
/// lists, those of the shop store that are not in it are not looked at.
pub(crate) async fn compare(
    documents: &dyn Documents,
    compared: &DayCompared,
) -> Result<Vec<OrderId>, PortError> {
    let day = compared.day;
    let paid = statistics::paid_between(documents, (day.start(), day.end())).await?;
    let in_shop: BTreeMap<OrderId, Tiyin> = paid.into_iter().collect();
    let in_ledger: BTreeMap<OrderId, Tiyin> =
        compared.paid.iter().map(|paid| (paid.order_id, paid.amount_tiyin)).collect();
    let unlike = in_ledger.iter().filter(|(id, amount)| in_shop.get(id) != Some(amount));
    let unlike: Vec<i64> = unlike.map(|(id, _)| id.get()).collect();
    // Perhaps placed long before the day.
    let found: Vec<ShopOrder> = records::read_many(documents, unlike.iter().copied()).await?;
    let agrees = |id: i64| {
        found.iter().any(|order| {
            order.id.get() == id && order.is_paid() && in_ledger.get(&order.id) == Some(&order.total)
        })
    };
    let mut differing: Vec<OrderId> =
        unlike.into_iter().filter(|id| !agrees(*id)).filter_map(|id| OrderId::try_new(id).ok()).collect();
    if usize::try_from(compared.orders).is_ok_and(|orders| orders == compared.paid.len()) {
        differing.extend(in_shop.keys().filter(|id| !in_ledger.contains_key(id)));
    }
    Ok(differing)
}

/// The message to the owners. `None`: a day without orders is no news where everything agrees.
pub(crate) fn message(compared: &DayCompared, mut shop_differing: Vec<OrderId>) -> Option<OutgoingMessage> {
    let count = |orders: usize| u32::try_from(orders).unwrap_or(u32::MAX);
    let at_click = compared.click.as_ref().map_or(0, |click| click.differing.len());
    metrics::gauge!("tolov_day_differences", "with" => "click").set(count(at_click));
    metrics::gauge!("tolov_day_differences", "with" => "shop").set(count(shop_differing.len()));
    metrics::gauge!("tolov_day_orders").set(compared.orders);
    if !shop_differing.is_empty() {
        tracing::error!(day = %compared.day, orders = ?shop_differing, "ledger and shop store do not agree about a day");
    }
    shop_differing.truncate(DIFFERENCES_MAX);
    let told = DayCompared { paid: Vec::new(), shop_differing, ..compared.clone() };
    let is_news = told.orders > 0
        || !told.agrees()
        || told.missing_receipts > 0
        || told.click.as_ref().is_some_and(|it| it.unanswered > 0);
    is_news.then(|| OutgoingMessage {
        id: told.notification_id(),
        route: Route::Notifications,
        schema: told.schema.clone(),
        body: told.to_json(),
        traceparent: None,
    })
}
