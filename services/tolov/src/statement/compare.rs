//! A statement and the ledger, both ways.

use std::{collections::HashMap, fmt};

use serde_json::{Value, json};
use time::Duration;
use tolov_domain::{
    ClickPaymentId, OrderId, Tiyin,
    refund::api::{Attempt, SeenOutcome},
    time::TASHKENT,
};

use super::row::{Statement, Unreadable};

/// A statement that ends with a time of day was exported then: what was begun shortly before may not be in it.
const UNDER_WAY: Duration = Duration::minutes(30);

/// What the ledger is to be told of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) attempt: Attempt,
    pub(super) payment_id: ClickPaymentId,
    pub(super) amount: Tiyin,
    pub(super) is_reversed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// CLICK and the ledger do not agree about an attempt; `None`: the ledger was not told.
    Reported(Report, Option<SeenOutcome>),
    /// The ledger has no attempt with this number.
    Unknown {
        line: usize,
        payment_id: ClickPaymentId,
        order: Option<OrderId>,
        amount: Tiyin,
    },
    /// Paid in the ledger, within the statement's span, and not in the statement.
    NotInStatement(Attempt),
    Unreadable(Unreadable),
}

/// Returns what only people can settle, and what the ledger is to be told.
pub(super) fn compare(statement: &Statement, attempts: &[Attempt]) -> (Vec<Difference>, Vec<Report>) {
    let by_payment: HashMap<i64, &Attempt> =
        attempts.iter().map(|attempt| (attempt.click_paydoc_id.get(), attempt)).collect();
    let (mut differences, mut reports) = (Vec::new(), Vec::new());
    differences.extend(statement.unreadable.iter().cloned().map(Difference::Unreadable));
    for (payment_id, payment) in &statement.payments {
        let (payment_id, amount, is_reversed) = (*payment_id, payment.amount, payment.is_reversed);
        let Some(attempt) = by_payment.get(&payment_id.get()) else {
            if !is_reversed {
                let (line, order) = (payment.line, payment.order);
                differences.push(Difference::Unknown { line, payment_id, order, amount });
            }
            continue;
        };
        let agrees = attempt.amount_tiyin == amount && attempt.is_paid != is_reversed;
        if !agrees {
            reports.push(Report { attempt: (*attempt).clone(), payment_id, amount, is_reversed });
        }
    }
    differences.extend(not_in_statement(statement, attempts).cloned().map(Difference::NotInStatement));
    (differences, reports)
}

fn not_in_statement<'a>(
    statement: &'a Statement,
    attempts: &'a [Attempt],
) -> impl Iterator<Item = &'a Attempt> {
    let span = statement.span.clone().map(|span| {
        let is_whole_day = span.end.to_offset(TASHKENT).time() == time::Time::MIDNIGHT;
        span.start..if is_whole_day { span.end } else { span.end - UNDER_WAY }
    });
    attempts.iter().filter(move |attempt| {
        let is_listed = ClickPaymentId::try_new(attempt.click_paydoc_id.get())
            .is_ok_and(|id| statement.payments.contains_key(&id));
        attempt.is_paid && !is_listed && span.as_ref().is_some_and(|span| span.contains(&attempt.prepared_at))
    })
}

impl Difference {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Reported(Report { is_reversed: true, .. }, _) => "reversed_at_click",
            Self::Reported(report, _) if report.amount.get() != report.attempt.amount_tiyin.get() => {
                "amount_differs"
            }
            Self::Reported(..) => "paid_at_click",
            Self::Unknown { .. } => "unknown_payment",
            Self::NotInStatement(_) => "not_in_statement",
            Self::Unreadable(_) => "unreadable",
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = match self {
            Self::Reported(report, outcome) => json!({
                "order_id": report.attempt.order_id, "payment_id": report.payment_id,
                "amount_tiyin": report.amount, "ledger_amount_tiyin": report.attempt.amount_tiyin, "outcome": outcome,
            }),
            Self::Unknown { line, payment_id, order, amount } => {
                json!({ "line": line, "payment_id": payment_id, "order_id": order, "amount_tiyin": amount })
            }
            Self::NotInStatement(attempt) => json!({
                "order_id": attempt.order_id, "payment_id": attempt.click_paydoc_id,
                "amount_tiyin": attempt.amount_tiyin,
            }),
            Self::Unreadable(Unreadable { line, why }) => json!({ "line": line, "why": why }),
        };
        json["kind"] = self.kind().into();
        json
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(report, outcome) => {
                let Report { attempt, payment_id, amount, is_reversed } = report;
                let order = attempt.order_id;
                let sums = (amount.grouped(), attempt.amount_tiyin.grouped());
                if *is_reversed {
                    write!(
                        formatter,
                        "order {order}: CLICK gave payment {payment_id} of {} so'm back",
                        sums.0
                    )?;
                } else if sums.0 == sums.1 {
                    write!(
                        formatter,
                        "order {order}: paid at CLICK, payment {payment_id} of {} so'm",
                        sums.0
                    )?;
                } else {
                    write!(
                        formatter,
                        "order {order}: payment {payment_id} is {} so'm at CLICK and {} so'm here",
                        sums.0, sums.1
                    )?;
                }
                formatter.write_str(match outcome {
                    None => "; the ledger was not told (--dry-run)",
                    Some(SeenOutcome::Paid) => "; the order is paid now",
                    Some(SeenOutcome::AlreadyPaid) => "; the ledger has it as paid by now",
                    Some(SeenOutcome::Questioned) => "; staff are asked",
                    Some(SeenOutcome::Unchanged) => "; the ledger is unchanged",
                })
            }
            Self::Unknown { line, payment_id, order, amount } => {
                let order = order.map_or_else(|| "no order".to_owned(), |order| format!("order {order}"));
                write!(
                    formatter,
                    "row {line}: payment {payment_id} of {} so'm for {order} is not in the ledger: look it up in \
                     CLICK's cabinet, fulfil it or give it back",
                    amount.grouped()
                )
            }
            Self::NotInStatement(attempt) => write!(
                formatter,
                "order {}: payment {} of {} so'm is paid here and not in the statement: look it up in CLICK's cabinet",
                attempt.order_id,
                attempt.click_paydoc_id,
                attempt.amount_tiyin.grouped()
            ),
            Self::Unreadable(Unreadable { line, why }) => {
                write!(formatter, "row {line} cannot be read: {why}")
            }
        }
    }
}
