//! What the ledger and its outbox know of an order.

use anyhow::Result;
use serde_json::Value;
use tolov_domain::{ClickTransId, OrderId, OrderedProduct, Tiyin, refund::Refund};
use tolov_webhook::ledger::{
    AttemptRecord, AttemptStatus, CallbackRecord, LedgerPlace, LedgerReader, MerchantCallRecord, OrderRecord,
    OrderRecords, OrderStatus, OutboxRecord, PaymentReportRecord, ReceiptStepRecord, RefundStepRecord,
    TelegramPaymentRecord, UnplacedBefore, UnplacedInTelegram, UnplacedPage, UnplacedRecord,
};

use super::entry::{Entry, Source};
use crate::audit::replayer::ServiceAddress;

pub(super) async fn of_place(ledger: &LedgerPlace, order_id: OrderId) -> Result<Vec<Entry>> {
    let reader = LedgerReader::open(ledger).await?;
    let records = reader.records(order_id).await;
    reader.close().await;
    Ok(entries(&records?))
}

/// Payments that belong to no order, newest first, and where the next page begins.
pub(super) async fn unplaced(
    ledger: &LedgerPlace,
    before: UnplacedBefore,
    limit: u32,
) -> Result<(Vec<Entry>, Option<UnplacedBefore>)> {
    let reader = LedgerReader::open(ledger).await?;
    let page = reader.unplaced_payments(before, limit).await;
    reader.close().await;
    let UnplacedPage { payments, next } = page?;
    let entry = |payment: &UnplacedRecord| match payment {
        UnplacedRecord::Callback(unplaced) => of_callback(&unplaced.callback),
        UnplacedRecord::Telegram(payment) => of_unplaced_in_telegram(payment),
    };
    Ok((payments.iter().map(entry).collect(), next))
}

/// From the running webhook service.
pub(super) async fn of_service(service: &ServiceAddress, order_id: OrderId) -> Result<Vec<Entry>> {
    let records = service.get(&format!("/orders/{order_id}/records")).await?;
    Ok(entries(&serde_json::from_slice(&records)?))
}

fn entries(records: &OrderRecords) -> Vec<Entry> {
    let mut entries: Vec<Entry> = records.order.iter().flat_map(of_order).collect();
    entries.extend(records.callbacks.iter().map(of_callback));
    entries.extend(records.attempts.iter().flat_map(of_attempt));
    entries.extend(records.telegram_payments.iter().map(of_telegram_payment));
    entries.extend(records.payment_reports.iter().map(of_payment_report));
    for step in &records.refund_steps {
        let refund = records.refunds.iter().find(|refund| refund.refund_id.get() == step.refund_id);
        entries.push(of_refund_step(step, refund));
    }
    entries.extend(records.receipt_steps.iter().map(of_receipt_step));
    entries.extend(records.merchant_calls.iter().map(of_merchant_call));
    entries.extend(records.events.iter().flat_map(of_event));
    entries
}

fn of_order(order: &OrderRecord) -> Vec<Entry> {
    let amount = Tiyin::try_new(order.amount_tiyin).map(Tiyin::grouped).unwrap_or_default();
    let registered = Entry::at_ms(order.created_at, Source::Ledger, "trace-registered")
        .with("user", order.user_id)
        .with("amount", amount)
        .with("products", products_of(&order.products));
    let ended = (order.status != OrderStatus::Pending).then(|| {
        Entry::at_ms(order.changed_at, Source::Ledger, "trace-ended")
            .with_word("status", order.status.as_str())
    });
    [registered].into_iter().chain(ended).collect()
}

/// As they are stored where they cannot be read.
fn products_of(stored: &str) -> String {
    let Ok(products) = serde_json::from_str::<Vec<OrderedProduct>>(stored) else { return stored.to_owned() };
    let counted = products.iter().map(|product| format!("{} × {}", product.product_id, product.count));
    counted.collect::<Vec<_>>().join(", ")
}

fn of_attempt(attempt: &AttemptRecord) -> Vec<Entry> {
    let in_telegram = ClickTransId::try_new(attempt.click_trans_id).is_ok_and(ClickTransId::is_of_telegram);
    let opened = if in_telegram { "trace-checkout" } else { "trace-prepared" };
    let prepared = Entry::at_ms(attempt.prepared_at, Source::Ledger, opened)
        .with("attempt", attempt.prepare_id)
        .with("transaction", attempt.click_trans_id)
        .with("paydoc", attempt.click_paydoc_id);
    let settled = attempt.settled_at.map(|at| {
        let (key, error) = match attempt.state {
            AttemptStatus::Prepared | AttemptStatus::Paid => ("trace-attempt-paid", None),
            AttemptStatus::Cancelled => ("trace-attempt-cancelled", attempt.click_error),
            AttemptStatus::GivenUp => ("trace-attempt-given-up", None),
        };
        let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        Entry::at_ms(at, Source::Ledger, key)
            .with("attempt", attempt.prepare_id)
            .with("transaction", number(attempt.paid_trans_id))
            .with("paydoc", number(attempt.paid_paydoc_id))
            .with("error", number(error))
    });
    [prepared].into_iter().chain(settled).collect()
}

fn of_telegram_payment(payment: &TelegramPaymentRecord) -> Entry {
    Entry::at_ms(payment.received_at, Source::Ledger, "trace-paid-in-telegram")
        .with("attempt", payment.prepare_id)
        .with("charge", &payment.telegram_charge_id)
        .with("provider", &payment.provider_charge_id)
        .with("amount", format!("{} {}", payment.amount_tiyin, payment.currency))
        .with_word("outcome", &payment.outcome)
}

fn of_unplaced_in_telegram(payment: &UnplacedInTelegram) -> Entry {
    Entry::at_ms(payment.received_at, Source::Ledger, "trace-unplaced-in-telegram")
        .with("user", payment.user_id)
        .with("payload", &payment.payload)
        .with("charge", &payment.telegram_charge_id)
        .with("provider", &payment.provider_charge_id)
        .with("amount", format!("{} {}", payment.amount_tiyin, payment.currency))
}

fn of_payment_report(report: &PaymentReportRecord) -> Entry {
    Entry::at_ms(report.at, Source::Ledger, "trace-reported")
        .with("attempt", report.prepare_id)
        .with("source", &report.source)
        .with("payment", report.payment_id)
        .with("by", &report.by)
}

fn of_callback(callback: &CallbackRecord) -> Entry {
    let key = match (callback.source.as_str(), callback.unplaced) {
        ("restore", false) => "trace-taken-back",
        ("restore", true) => "trace-found",
        (_, true) => "trace-unplaced",
        (_, false) => "trace-callback",
    };
    let fields: Value = serde_json::from_str(&callback.fields).unwrap_or_default();
    let action = match fields["action"].as_str() {
        Some("0") => "Prepare",
        Some("1") => "Complete",
        _ => "?",
    };
    Entry::at_ms(callback.received_at, Source::Ledger, key)
        .with("action", action)
        .with("peer", &callback.peer)
        .with("fields", &callback.fields)
        .with("answer", &callback.answer)
}

fn of_refund_step(step: &RefundStepRecord, refund: Option<&Refund>) -> Entry {
    let facts = [
        step.why.clone(),
        step.click_code.map(|code| code.to_string()),
        step.click_note.clone(),
        step.document.clone(),
        refund.filter(|_| step.step == 0).map(|refund| refund.reason.clone()),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect();
    Entry::at_ms(step.at, Source::Ledger, "trace-refund")
        .with("refund", step.refund_id)
        .with("amount", refund.map(|refund| refund.amount_tiyin.grouped()).unwrap_or_default())
        .with_word("state", &step.state)
        .with("by", &step.by)
        .with("facts", if facts.is_empty() { "-".to_owned() } else { facts.join(", ") })
}

fn of_receipt_step(step: &ReceiptStepRecord) -> Entry {
    let facts = [
        step.url.clone(),
        step.why.clone(),
        step.click_code.map(|code| code.to_string()),
        step.click_note.clone(),
        step.document.clone(),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect();
    Entry::at_ms(step.at, Source::Ledger, "trace-receipt")
        .with_word("state", &step.state)
        .with("by", &step.by)
        .with("facts", if facts.is_empty() { "-".to_owned() } else { facts.join(", ") })
}

fn of_merchant_call(call: &MerchantCallRecord) -> Entry {
    Entry::at_ms(call.at, Source::Ledger, "trace-click-asked")
        .with("call", format!("{} {}", call.method, call.path))
        .with("outcome", &call.outcome)
        .with("code", call.code.map_or_else(|| "-".to_owned(), |code| code.to_string()))
        .with("note", &call.note)
}

fn of_event(event: &OutboxRecord) -> Vec<Entry> {
    let written =
        Entry::at_ms(event.created_at, Source::Outbox, "trace-event").with("event", &event.event_id);
    let sent = match (event.sent_at, &event.last_error) {
        (Some(at), _) => Entry::at_ms(at, Source::Outbox, "trace-event-sent").with("event", &event.event_id),
        (None, error) => Entry::new(None, Source::Outbox, "trace-event-waits")
            .with("event", &event.event_id)
            .with("refusals", event.refusals)
            .with("error", error.as_deref().unwrap_or("-")),
    };
    vec![written, sent]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_could_not_be_placed_and_money_that_a_restore_took_back_are_told_apart() {
        let callback = |unplaced, source: &str| CallbackRecord {
            received_at: 1,
            peer: "127.0.0.1".to_owned(),
            fields: r#"{"action":"1"}"#.to_owned(),
            code: -5,
            answer: r#"{"error":-5}"#.to_owned(),
            unplaced,
            source: source.to_owned(),
        };
        for (unplaced, source, key) in [
            (false, "click", "trace-callback"),
            (true, "click", "trace-unplaced"),
            (false, "restore", "trace-taken-back"),
            (true, "restore", "trace-found"),
        ] {
            let entry = of_callback(&callback(unplaced, source));
            assert_eq!((entry.key, &entry.args[0]), (key, &("action", "Complete".to_owned())));
        }
    }
}
