//! What an audit says.

use std::fmt::Display;

use serde_json::{Value, json};
use tolov_domain::{Language, OrderId, Tiyin};

use super::{
    findings::{Findings, Totals},
    repair::Repair,
};
use crate::doctor::texts::text;

#[derive(Debug)]
pub(super) struct Report {
    pub(super) at_ms: i64,
    pub(super) totals: Totals,
    pub(super) findings: Findings,
    /// One a difference, where repairs were asked for.
    pub(super) repairs: Vec<Repair>,
}

impl Report {
    pub(super) fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn print(&self, as_json: bool, language: Language) {
        if as_json {
            println!("{}", self.to_json(language));
            return;
        }
        for (number, difference) in self.findings.iter().enumerate() {
            println!("{}", difference.text(language));
            let what = match self.repairs.get(number) {
                Some(Repair::Done) => text(language, "audit-repaired", &[]),
                Some(Repair::AlreadyRight) => text(language, "audit-already-right", &[]),
                Some(Repair::Refused(why)) => text(language, "audit-not-repaired", &[("reason", why)]),
                Some(Repair::ByHand) | None => difference.remedy(language),
            };
            println!("    → {what}");
        }
        if self.findings.more > 0 {
            println!("{}", text(language, "audit-more", &[("count", &self.findings.more)]));
        }
        println!("{}", self.summary(language));
    }

    /// For a process that goes on.
    pub(super) fn log(&self) {
        for difference in self.findings.iter() {
            let order_id = difference.order_id().map(OrderId::get);
            let (kind, what) = (difference.kind(), difference.text(Language::En));
            tracing::error!(order.id = order_id, kind, todo = difference.remedy(Language::En), "{what}");
        }
        tracing::info!(differences = self.findings.count(), "{}", self.summary(Language::En));
    }

    fn summary(&self, language: Language) -> String {
        let Totals { paid_orders, paid_tiyin, shop_paid_orders, shop_paid_tiyin, users, products, .. } =
            self.totals;
        let soum = |tiyin| Tiyin::try_new(tiyin).map(Tiyin::grouped).unwrap_or_default();
        let found = match self.findings.count() {
            0 => text(language, "audit-found-none", &[]),
            1 => text(language, "audit-found-one", &[]),
            count => text(language, "audit-found", &[("count", &count)]),
        };
        let (ledger_soum, shop_soum) = (soum(paid_tiyin), soum(shop_paid_tiyin));
        let args: [(&str, &dyn Display); 7] = [
            ("found", &found),
            ("ledger-orders", &paid_orders),
            ("ledger-soum", &ledger_soum),
            ("shop-orders", &shop_paid_orders),
            ("shop-soum", &shop_soum),
            ("users", &users),
            ("products", &products),
        ];
        text(language, "audit-summary", &args)
    }

    fn to_json(&self, language: Language) -> Value {
        let differences = self.findings.iter().enumerate().map(|(number, difference)| {
            let mut json = difference.to_json(language);
            json["repair"] = self.repairs.get(number).map_or(Value::Null, |repair| repair.word().into());
            json
        });
        json!({
            "at_ms": self.at_ms,
            "count": self.findings.count(),
            "differences": differences.collect::<Vec<_>>(),
            "ledger": { "paid_orders": self.totals.paid_orders, "paid_tiyin": self.totals.paid_tiyin },
            "shop": {
                "orders": self.totals.shop_orders,
                "paid_orders": self.totals.shop_paid_orders,
                "paid_tiyin": self.totals.shop_paid_tiyin,
                "users": self.totals.users,
                "products": self.totals.products,
            },
        })
    }
}
