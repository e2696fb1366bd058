//! What an audit says.
#![expect(clippy::print_stdout, reason = "the report is this command's answer")]

use serde_json::{Value, json};
use tolov_domain::{OrderId, Tiyin};

use super::{
    findings::{Findings, Totals},
    repair::Repair,
};

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

    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.to_json());
            return;
        }
        for (number, difference) in self.findings.iter().enumerate() {
            println!("{difference}");
            match self.repairs.get(number) {
                Some(Repair::Done) => println!("    → repaired"),
                Some(Repair::Failed(reason)) => println!("    → not repaired: {reason}"),
                Some(Repair::ByHand) | None => println!("    → {}", difference.remedy()),
            }
        }
        if self.findings.more > 0 {
            println!("and {} more: repair these, then audit again", self.findings.more);
        }
        println!("{}", self.summary());
    }

    /// For a process that goes on.
    pub(super) fn log(&self) {
        for difference in self.findings.iter() {
            let order_id = difference.order_id().map(OrderId::get);
            let kind = difference.kind();
            tracing::error!(order.id = order_id, kind, todo = difference.remedy(), "{difference}");
        }
        tracing::info!(differences = self.findings.count(), "{}", self.summary());
    }

    fn summary(&self) -> String {
        let Totals { paid_orders, paid_tiyin, shop_paid_orders, shop_paid_tiyin, users, products, .. } =
            self.totals;
        let soum = |tiyin| Tiyin::try_new(tiyin).map(Tiyin::grouped).unwrap_or_default();
        let found = match self.findings.count() {
            0 => "no difference".to_owned(),
            1 => "1 difference".to_owned(),
            count => format!("{count} differences"),
        };
        format!(
            "{found}; ledger: {paid_orders} orders paid with {} so'm, shop store: {shop_paid_orders} with {} so'm; \
             {users} people, {products} products",
            soum(paid_tiyin),
            soum(shop_paid_tiyin)
        )
    }

    fn to_json(&self) -> Value {
        let differences = self.findings.iter().enumerate().map(|(number, difference)| {
            let mut json = difference.to_json();
            json["repair"] = match self.repairs.get(number) {
                None => Value::Null,
                Some(Repair::Done) => "done".into(),
                Some(Repair::ByHand) => "by hand".into(),
                Some(Repair::Failed(reason)) => format!("failed: {reason}").into(),
            };
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
