//! Rows of the reconciliation: why an attempt counts as paid, compared days, restores that were asked about.

use serde::Serialize;
use tolov_domain::{
    ClickPaymentId, PrepareId,
    day::{ClickComparison, Day, DayCompared},
    refund::api::ReportSource,
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    rows::EventRow,
    working_set::WorkingSet,
};

/// What a batch adds to the tables of migration 0005.
#[derive(Default)]
pub(crate) struct Reconciliation {
    pub(super) reports: Vec<ReportRow>,
    pub(super) days: Vec<DayRow>,
    pub(super) restore_checks: Vec<RestoreCheckRow>,
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
