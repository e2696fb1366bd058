//! Orders: what became of each, by the bot's database, the payment server's and PayTechUZ together.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use time::Duration;
use tolov_domain::{
    Event, EventKind, OrderId, OrderedProduct, Tiyin, UserId, event::EventKind::OrderExpired,
    order::OrderLine, time::Timestamp,
};
use tolov_shop::order::{
    Actor, HistoryEntry, OrderAction, OrderState, PaymentFacts, Progress, Sale, ShopOrder, Stock,
};
use tolov_webhook::ledger::{
    ImportedOrder, ImportedState, NewOrder, ORDER_ID_GAP_MAX, ORDER_ID_MAX, OpenAttempt, PaidOrder,
};

use super::{
    catalogue::Catalogue,
    fields,
    payments::{Payment, PaymentState},
    report::Remarks,
    source::OldShop,
};

/// A paid order that is younger may not have been handed over: staff see it among their new ones.
const IN_WORK: Duration = Duration::days(14);
/// Who knew of a payment, for the ledger's evidence.
const KNOWN_BY: &str = "paytechuz";

/// An order for both stores.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) shop: ShopOrder,
    pub(super) ledger: ImportedOrder,
}

/// What decides beside the records.
pub(super) struct Rules<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// Unpaid orders that were placed since can be paid by the link that the old system gave out.
    pub(super) payable_since: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// The facts of one order, wherever they stood.
struct Facts {
    order_id: OrderId,
    user_id: UserId,
    products: Vec<OrderedProduct>,
    total: Tiyin,
    placed_at: Timestamp,
    /// What the two databases say, which may be wrong about money.
    says_paid: bool,
    bot_says_paid: bool,
    says_cancelled: bool,
}

pub(super) fn convert(
    old: &OldShop,
    payments: &HashMap<OrderId, Vec<Payment>>,
    rules: &Rules<'_>,
    remarks: &mut Remarks,
) -> BTreeMap<OrderId, Order> {
    let mut orders = BTreeMap::new();
    let mut highest = None;
    for facts in facts_of_all(old, payments, rules.now, remarks).into_values() {
        let number = facts.order_id.get();
        if highest.is_some_and(|highest: i64| number > highest.saturating_add(ORDER_ID_GAP_MAX)) {
            let text = format!(
                "its number is more than {ORDER_ID_GAP_MAX} above the others: later orders would have none"
            );
            remarks.left_out("order", number, text);
            continue;
        }
        highest = Some(number);
        let known = payments.get(&facts.order_id).map(Vec::as_slice).unwrap_or_default();
        let order = decide(facts, known, rules, remarks);
        orders.insert(order.shop.id, order);
    }
    for (order_id, known) in payments {
        if has_money(known) && !orders.contains_key(order_id) {
            remarks.left_out("payment", order_id, "an order of this number is paid, and is left out or in neither database: find the payer in CLICK's cabinet");
        }
    }
    orders
}

fn has_money(known: &[Payment]) -> bool {
    known.iter().any(|payment| payment.state == PaymentState::Paid)
}

/// Each order number once. Of two orders of the bot with one number the one that the payment server knows counts.
fn facts_of_all(
    old: &OldShop,
    payments: &HashMap<OrderId, Vec<Payment>>,
    now: Timestamp,
    remarks: &mut Remarks,
) -> BTreeMap<OrderId, Facts> {
    let mut server: BTreeMap<OrderId, Facts> = BTreeMap::new();
    for row in &old.server_orders {
        if let Some(facts) = read(row, now, remarks) {
            server.insert(facts.order_id, Facts { bot_says_paid: false, ..facts });
        }
    }
    let mut all: BTreeMap<OrderId, Facts> = BTreeMap::new();
    for record in &old.orders {
        let Some(mut facts) = read(record, now, remarks) else { continue };
        let order_id = facts.order_id;
        if let Some(row) = server.get(&order_id) {
            if row.user_id != facts.user_id {
                remarks.left_out(
                    "order",
                    order_id,
                    format!("the number is used twice: the one of user {} is left out", facts.user_id),
                );
                continue;
            }
            facts.says_paid |= row.says_paid;
            facts.says_cancelled |= row.says_cancelled;
        }
        if all.contains_key(&order_id) {
            remarks.left_out(
                "order",
                order_id,
                format!("the number is used twice: a second one of user {} is left out", facts.user_id),
            );
            continue;
        }
        all.insert(order_id, facts);
    }
    for (order_id, facts) in server {
        if payments.get(&order_id).is_some_and(|known| has_money(known)) {
            all.entry(order_id).or_insert(facts);
        } else if !all.contains_key(&order_id) {
            // Anybody could write into the payment server, a paid order too.
            remarks.left_out("order", order_id, "only the payment server has it, and no payment");
        }
    }
    all
}

fn read(record: &Value, now: Timestamp, remarks: &mut Remarks) -> Option<Facts> {
    let number = fields::whole(record, "order_id").unwrap_or_default();
    let mut left_out = |text: &str| {
        remarks.left_out("order", number, text);
        None
    };
    let Some(order_id) = OrderId::try_new(number).ok().filter(|id| id.get() <= ORDER_ID_MAX) else {
        return left_out(&format!("it has no order number from 1 to {ORDER_ID_MAX}"));
    };
    let Some(user_id) = fields::whole(record, "user_id").and_then(|user| UserId::try_new(user).ok()) else {
        return left_out("it has no user");
    };
    let Some(total) = fields::amount(record, "total_amount").filter(|total| total.amount > Tiyin::ZERO)
    else {
        return left_out("it has no readable total");
    };
    if !total.is_exact {
        let (written, read) =
            (fields::text(record, "total_amount").unwrap_or_default(), total.amount.grouped());
        remarks.changed("order", number, format!("the total {written} is read as {read}"));
    }
    let status = fields::text(record, "status").unwrap_or_default();
    let placed_at = fields::date(record, "created_at").or_else(|| fields::made_at(record));
    Some(Facts {
        order_id,
        user_id,
        products: fields::products(record, "products"),
        total: total.amount,
        placed_at: placed_at.unwrap_or(now).min(now),
        says_paid: status == "paid",
        bot_says_paid: status == "paid",
        says_cancelled: status == "cancelled",
    })
}

fn decide(mut facts: Facts, known: &[Payment], rules: &Rules<'_>, remarks: &mut Remarks) -> Order {
    let order_id = facts.order_id;
    let mut paid: Vec<&Payment> =
        known.iter().filter(|payment| payment.state == PaymentState::Paid).collect();
    paid.sort_by_key(|payment| payment.at);
    if let [_, others @ ..] = paid.as_slice() {
        for other in others {
            let text =
                format!("paid twice: CLICK's transaction {} too; give that money back", other.click_trans_id);
            remarks.changed("order", order_id, text);
        }
    }
    if let Some(payment) = paid.first() {
        if payment.amount != facts.total {
            let text = format!("{} was paid, and not {}", payment.amount.grouped(), facts.total.grouped());
            remarks.changed("order", order_id, text);
            facts.total = payment.amount;
        }
        if !facts.bot_says_paid {
            remarks.changed("order", order_id, "it is paid, which the bot had not noticed");
        }
        return paid_order(&facts, payment, rules);
    }
    if facts.says_paid {
        remarks.changed("order", order_id, "it was called paid and no payment is known: it is carried over as not paid; look in CLICK's cabinet");
    }
    let is_payable = !facts.says_paid
        && !facts.says_cancelled
        && rules.payable_since.is_some_and(|since| facts.placed_at >= since);
    if is_payable { payable_order(&facts, known, rules) } else { ended_order(&facts, rules) }
}

fn paid_order(facts: &Facts, payment: &Payment, rules: &Rules<'_>) -> Order {
    let Payment { click_trans_id, click_paydoc_id, prepare_id, at, .. } = *payment;
    let kind = EventKind::PaymentCompleted {
        click_trans_id,
        click_paydoc_id,
        merchant_prepare_id: prepare_id,
        late: false,
    };
    let payment = PaymentFacts { click_trans_id, click_paydoc_id, paid_at: at, late: false };
    let is_in_work = at + IN_WORK > rules.now;
    let progress = if is_in_work { Progress::New } else { Progress::Delivered };
    let sale = Sale { payment, missing: Vec::new() };
    let mut shop = shop_order(facts, rules, OrderState::Paid { sale, progress }, Stock::Committed);
    let event_id = Some(Event::id_of(facts.order_id, &kind));
    shop.history
        .push(HistoryEntry { event_id, ..HistoryEntry::of_action(OrderAction::Paid, Actor::Click, at) });
    if !is_in_work {
        shop.history.push(HistoryEntry::of_action(OrderAction::Delivered, Actor::Clock, at));
    }
    let paid = PaidOrder {
        order_id: facts.order_id,
        user_id: facts.user_id,
        products: facts.products.clone(),
        amount: facts.total,
        click_trans_id,
        click_paydoc_id,
        merchant_prepare_id: Some(prepare_id),
        paid_at: at,
        late: false,
        known_by: KNOWN_BY,
        receipt: None,
    };
    Order { shop, ledger: ledger_order(facts, facts.placed_at, ImportedState::Paid(paid)) }
}

/// Its time limit begins with the import.
fn payable_order(facts: &Facts, known: &[Payment], rules: &Rules<'_>) -> Order {
    let state = OrderState::AwaitingPayment { link: None, cancel_requested_by: None };
    let shop = shop_order(facts, rules, state, Stock::Unheld);
    let of_this_sum = |payment: &&Payment| payment.amount == facts.total;
    let open = known.iter().filter(of_this_sum).map(|payment| OpenAttempt {
        prepare_id: payment.prepare_id,
        click_trans_id: payment.click_trans_id,
        click_paydoc_id: payment.click_paydoc_id,
        prepared_at: payment.at,
    });
    Order { shop, ledger: ledger_order(facts, rules.now, ImportedState::Payable { open: open.collect() }) }
}

fn ended_order(facts: &Facts, rules: &Rules<'_>) -> Order {
    let (state, action) = if facts.says_cancelled {
        (OrderState::Cancelled { by: Actor::Shopper, sale: None }, OrderAction::Cancelled)
    } else {
        (OrderState::Expired, OrderAction::Expired)
    };
    let mut shop = shop_order(facts, rules, state, Stock::Released);
    let event_id = Some(Event::id_of(facts.order_id, &OrderExpired));
    shop.history
        .push(HistoryEntry { event_id, ..HistoryEntry::of_action(action, Actor::Clock, facts.placed_at) });
    Order { shop, ledger: ledger_order(facts, facts.placed_at, ImportedState::Over) }
}

fn shop_order(facts: &Facts, rules: &Rules<'_>, state: OrderState, stock: Stock) -> ShopOrder {
    let line = |product: &OrderedProduct| OrderLine {
        product_id: product.product_id,
        count: product.count,
        title: rules.catalogue.title(product.product_id),
        // The old system did not keep what each cost on that day.
        price: None,
        portion: None,
        fiscal: None,
    };
    ShopOrder {
        id: facts.order_id,
        user_id: facts.user_id,
        lines: facts.products.iter().map(line).collect(),
        total: facts.total,
        placed_at: facts.placed_at,
        terms: None,
        state,
        stock,
        refunds: Vec::new(),
        receipt_url: None,
        history: vec![HistoryEntry::of_action(OrderAction::Placed, Actor::Shopper, facts.placed_at)],
    }
}

fn ledger_order(facts: &Facts, created_at: Timestamp, state: ImportedState) -> ImportedOrder {
    let Facts { order_id, user_id, total: amount, .. } = *facts;
    ImportedOrder {
        order: NewOrder {
            order_id,
            user_id,
            products: facts.products.clone(),
            amount,
            created_at,
            receipt: None,
        },
        state,
    }
}
