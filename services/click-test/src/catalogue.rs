//! `--list`.

use std::fmt::Write as _;

use crate::{
    case::{Case, Needs},
    cases,
};

/// How many fresh orders the cases use, the shared one included.
pub(crate) fn orders_needed<'a>(cases: impl Iterator<Item = &'a Case>) -> u32 {
    let (mut fresh, mut shared) = (0, 0);
    for case in cases {
        match case.needs {
            Needs::FreshOrders(count) => fresh += count,
            Needs::SharedOrder => shared = 1,
            Needs::Nothing | Needs::CreateCall => {}
        }
    }
    fresh + shared
}

/// Every case with what it needs, one line each.
pub fn catalogue() -> String {
    let all: Vec<Case> = cases::all().collect();
    let mut text = String::new();
    for case in &all {
        let needs = match case.needs {
            Needs::Nothing => "no order".to_owned(),
            Needs::SharedOrder => "shared order".to_owned(),
            Needs::FreshOrders(1) => "1 order".to_owned(),
            Needs::FreshOrders(count) => format!("{count} orders"),
            Needs::CreateCall => "create call".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<34} {:<6} {needs:<12} {}", case.id, case.level.name(), case.title);
    }
    let needed = orders_needed(all.iter());
    let _ = writeln!(
        text,
        "\n{} cases. All of them use {needed} fresh unpaid orders (--order ID=AMOUNT, {needed} times, or --create-url); \
         must: documented by CLICK, should: our rule where CLICK is silent.",
        all.len()
    );
    text
}
