//! Orders whose money may still come, for a restore that replaces the ledger which has them.

use std::{collections::BTreeMap, ops::RangeInclusive};

use tolov_domain::{
    ClickPaydocId, ClickTransId, OrderId, PrepareId, Tiyin, UserId, phone_invoice::PhoneInvoice,
    time::from_unix_ms,
};

use super::pool::read;
use crate::ledger::{
    LedgerError, LedgerReader, NewOrder, OpenAttempt, OrderStatus, UnsettledAttempt, UnsettledOrder,
    phone_invoices,
};

#[derive(sqlx::FromRow)]
struct OrderRow {
    order_id: i64,
    user_id: i64,
    products: String,
    amount_tiyin: i64,
    status: OrderStatus,
    created_at: i64,
    receipt: Option<String>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    order_id: i64,
    prepare_id: i64,
    click_trans_id: i64,
    click_paydoc_id: i64,
    prepared_at: i64,
    settled_at: Option<i64>,
}

const BAD_ID: LedgerError = LedgerError::Row("an id is not positive");

impl LedgerReader {
    /// Orders with these numbers that are not paid, and those that are and have an open attempt, by number; each with its open
    /// attempts and its invoices to a phone number.
    pub async fn unsettled_orders(
        &self,
        numbers: RangeInclusive<i64>,
        limit: u32,
    ) -> Result<Vec<UnsettledOrder>, LedgerError> {
        let orders: Vec<OrderRow> = read!(
            &self.pool,
            query_as.fetch_all,
            "SELECT o.order_id, o.user_id, o.products, o.amount_tiyin, o.status, o.created_at, r.content AS receipt
             FROM orders AS o LEFT JOIN receipts AS r ON r.order_id = o.order_id
             WHERE o.order_id BETWEEN $1 AND $3 AND (o.status <> 'paid' OR EXISTS (SELECT 1 FROM attempts AS a
               WHERE a.order_id = o.order_id AND a.state IN ('prepared', 'given_up')))
             ORDER BY o.order_id LIMIT +$2",
            numbers.start(),
            i64::from(limit),
            numbers.end(),
        )?;
        let Some(last) = orders.last() else { return Ok(Vec::new()) };
        // As many as shoppers have begun: of an order the writer reads all of them, too.
        let attempts: Vec<AttemptRow> = read!(
            &self.pool,
            query_as.fetch_all,
            "SELECT order_id, prepare_id, click_trans_id, click_paydoc_id, prepared_at, settled_at FROM attempts
             WHERE order_id BETWEEN $1 AND $2 AND state IN ('prepared', 'given_up')",
            numbers.start(),
            last.order_id,
        )?;
        let mut open: BTreeMap<i64, Vec<UnsettledAttempt>> = BTreeMap::new();
        for row in attempts {
            open.entry(row.order_id).or_default().push(row.try_into()?);
        }
        let mut phone_invoices = self.phone_invoices_in(*numbers.start()..=last.order_id).await?;
        let complete = |row: OrderRow| {
            let mut open = open.remove(&row.order_id).unwrap_or_default();
            open.sort_by_key(|open| open.attempt.prepare_id);
            let phone_invoices = phone_invoices.remove(&row.order_id).unwrap_or_default();
            Ok(UnsettledOrder { status: row.status, order: row.try_into()?, open, phone_invoices })
        };
        orders.into_iter().map(complete).collect()
    }

    /// By order, oldest first. As many as shoppers have asked for: of an order the writer reads all of them, too.
    async fn phone_invoices_in(
        &self,
        numbers: RangeInclusive<i64>,
    ) -> Result<BTreeMap<i64, Vec<PhoneInvoice>>, LedgerError> {
        let rows: Vec<String> = read!(
            &self.pool,
            query_scalar.fetch_all,
            "SELECT invoice FROM phone_invoices_as_json WHERE order_id BETWEEN $1 AND $2",
            numbers.start(),
            numbers.end(),
        )?;
        let mut invoices: BTreeMap<i64, Vec<PhoneInvoice>> = BTreeMap::new();
        for invoice in phone_invoices::of_rows(&rows)? {
            invoices.entry(invoice.order_id.get()).or_default().push(invoice);
        }
        Ok(invoices)
    }
}

impl TryFrom<OrderRow> for NewOrder {
    type Error = LedgerError;

    fn try_from(row: OrderRow) -> Result<Self, LedgerError> {
        Ok(Self {
            order_id: OrderId::try_new(row.order_id).map_err(|_| BAD_ID)?,
            user_id: UserId::try_new(row.user_id).map_err(|_| BAD_ID)?,
            products: serde_json::from_str(&row.products)?,
            amount: Tiyin::try_new(row.amount_tiyin)
                .map_err(|_| LedgerError::Row("an amount is out of range"))?,
            created_at: from_unix_ms(row.created_at),
            receipt: row.receipt.as_deref().map(serde_json::from_str).transpose()?,
        })
    }
}

impl TryFrom<AttemptRow> for UnsettledAttempt {
    type Error = LedgerError;

    fn try_from(row: AttemptRow) -> Result<Self, LedgerError> {
        let attempt = OpenAttempt {
            prepare_id: PrepareId::try_new(row.prepare_id).map_err(|_| BAD_ID)?,
            click_trans_id: ClickTransId::try_new(row.click_trans_id).map_err(|_| BAD_ID)?,
            click_paydoc_id: ClickPaydocId::try_new(row.click_paydoc_id).map_err(|_| BAD_ID)?,
            prepared_at: from_unix_ms(row.prepared_at),
        };
        Ok(Self { attempt, given_up_at: row.settled_at.map(from_unix_ms) })
    }
}
