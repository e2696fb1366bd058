//! Rows of the reconciliation: why an attempt counts as paid, compared days, restores that were asked about.

use serde::Serialize;
use serde_json::json;
use tolov_click::ClickCode;
use tolov_domain::{
    ClickPaymentId, PrepareId,
    day::{self, ClickComparison, Day, DayCompared},
    refund::api::{FoundPayment, ReportSource},
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase, unplaced},
    known::Needs,
    rows::{CallbackRow, EventRow},
    working_set::WorkingSet,
};
use crate::ledger::{EndRefusal, Outcome};

/// What a batch adds to the tables of migration 0005.
#[derive(Default)]
pub(crate) struct Reconciliation {
    pub(crate) reports: Vec<ReportRow>,
    pub(crate) days: Vec<DayRow>,
    pub(crate) restore_checks: Vec<RestoreCheckRow>,
}

/// A row of `payment_reports`.
#[derive(Serialize)]
pub(crate) struct ReportRow {
    pub(super) prepare_id: PrepareId,
    pub(super) at: i64,
    pub(super) source: ReportSource,
    pub(super) by: String,
    pub(super) payment_id: ClickPaymentId,
}

/// A row of `compared_days`.
#[derive(Serialize)]
pub(crate) struct DayRow {
    day: Day,
    compared_at: i64,
    click: Option<ClickComparison>,
}

/// A row of `restore_checks`.
#[derive(Serialize)]
pub(crate) struct RestoreCheckRow {
    restore_id: i64,
    checked_at: i64,
}

impl From<&DayCompared> for EventRow {
    fn from(compared: &DayCompared) -> Self {
        let DayCompared { event_id, schema, occurred_at, .. } = compared;
        Self::without_order(event_id, (day::NAME, schema), &compared.to_json(), *occurred_at)
    }
}

/// A day was compared. Its event has an id of its own, so that a repetition tells nothing new.
pub(crate) struct RecordDay(pub(crate) DayCompared);

impl Decision for RecordDay {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        let DayCompared { day, click, occurred_at, .. } = &self.0;
        let row = DayRow { day: *day, compared_at: unix_ms(*occurred_at), click: click.clone() };
        set.reconciliation().days.push(row);
        set.publish_row(EventRow::from(&self.0));
    }
}

/// CLICK was asked what these restores may have lost.
pub(crate) struct RestoresChecked {
    pub(crate) restore_ids: Vec<i64>,
    pub(crate) at: Timestamp,
}

impl Decision for RestoresChecked {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        let checked_at = unix_ms(self.at);
        let rows = self.restore_ids.iter().map(|id| RestoreCheckRow { restore_id: *id, checked_at });
        set.reconciliation().restore_checks.extend(rows);
    }
}

/// CLICK shows a payment of an order that the ledger knows no attempt of: nobody pays it a second time, and staff are told.
pub(crate) struct PaymentFound {
    pub(crate) found: FoundPayment,
    /// Among the payments that belong to no order.
    pub(crate) is_listed: bool,
    pub(crate) at: Timestamp,
}

impl Decision for PaymentFound {
    type Answer = ();
    const PHASE: Phase = Phase::End;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.found.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) {
        let Self { found: FoundPayment { order_id, payment_id }, is_listed, at } = *self;
        if set.end_order(order_id, at) == Outcome::Refused(EndRefusal::Paid) {
            return;
        }
        tracing::error!(
            order.id = %order_id, payment.id = %payment_id,
            "CLICK shows a payment that a restore of the ledger has lost; staff are told"
        );
        let (paydoc, order, code) =
            (payment_id.to_string(), order_id.to_string(), ClickCode::TransactionDoesNotExist.code());
        if !is_listed {
            set.keep_evidence(CallbackRow {
                received_at: unix_ms(at),
                peer: "CLICK's Merchant API".to_owned(),
                order_id: Some(order_id),
                fields: json!({ "merchant_trans_id": order, "click_paydoc_id": paydoc }).to_string(),
                code,
                answer: json!({ "error": code }).to_string(),
                unplaced: true,
                source: "restore",
            });
        }
        set.publish_unplaced(&unplaced([None, Some(&paydoc), Some(&order), None], code, at));
    }
}
