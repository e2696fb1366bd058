//! Purchases on a ledger, for the test of power loss: `ledger_workload FOLDER PURCHASES`. Appends each order that was
//! answered as paid to FOLDER/answered, at once.

use std::{fs::File, io::Write, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use time::macros::datetime;
use tolov_click::{Callback, CallbackForm, SecretKey, sign_complete, sign_prepare};
use tolov_domain::{OrderId, OrderedProduct, ProductId, Tiyin, UserId, time::Timestamp};
use tolov_webhook::ledger::{Arrival, Content, Ledger, NewOrder, UnverifiedLimits};

const NOW: Timestamp = datetime!(2026-11-23 12:00 UTC);
const KEY: &str = "a key";
const SIGN_TIME: &str = "2026-11-23 12:00:00";
const AMOUNT: &str = "30000.00";
/// Purchases at the same time, which share transactions.
const AT_ONCE: i64 = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("FOLDER PURCHASES")?);
    let purchases: i64 = arguments.next().context("FOLDER PURCHASES")?.parse()?;
    let (ledger, writer) = Ledger::open(&folder.join("payments.db"), UnverifiedLimits::default()).await?;
    let answered = Arc::new(File::create(folder.join("answered"))?);
    for first in (1..=purchases).step_by(usize::try_from(AT_ONCE)?) {
        let orders = (first..first + AT_ONCE).map(|order| purchase(&ledger, order, &answered));
        try_join_all(orders).await?;
    }
    drop(ledger);
    // No clean end: the power fails.
    std::mem::forget(writer);
    std::process::exit(0)
}

async fn purchase(ledger: &Ledger, order: i64, mut answered: &File) -> Result<()> {
    let order_id = OrderId::try_new(order)?;
    let products = vec![OrderedProduct { product_id: ProductId::try_new(7)?, count: 1 }];
    let new = NewOrder {
        order_id,
        user_id: UserId::try_new(5_551)?,
        products,
        amount: Tiyin::parse_soum(AMOUNT)?,
        created_at: NOW,
        receipt: None,
    };
    ledger.create_order(new).await?;
    let prepared = ledger.answer(arrival(order, None)?).await?;
    let prepare_id = prepared.merchant_prepare_id.context("a prepare_id")?.get();
    let completed = ledger.answer(arrival(order, Some(prepare_id))?).await?;
    ensure!(completed.error == 0, "{completed:?}");
    writeln!(answered, "{order}")?;
    Ok(())
}

fn arrival(order: i64, prepare_id: Option<i64>) -> Result<Arrival> {
    let (key, trans_id, order) = (SecretKey::new(KEY), (order + 9_000).to_string(), order.to_string());
    let prepare_id = prepare_id.map(|id| id.to_string());
    let sign = match &prepare_id {
        None => sign_prepare(&key, &trans_id, "77", &order, AMOUNT, SIGN_TIME),
        Some(id) => sign_complete(&key, &trans_id, "77", &order, id, AMOUNT, SIGN_TIME),
    };
    let (action, id) =
        prepare_id.map_or(("0", String::new()), |id| ("1", format!("&merchant_prepare_id={id}")));
    let body = format!(
        "click_trans_id={trans_id}&service_id=77&click_paydoc_id=1{trans_id}&merchant_trans_id={order}&amount={AMOUNT}\
         &action={action}&error=0&error_note=Success&sign_time={SIGN_TIME}&sign_string={sign}{id}"
    );
    let (form, outcome) = CallbackForm::parse(body.as_bytes());
    outcome?;
    let content = Content::Callback(Callback::read(&form)?);
    Ok(Arrival { received_at: NOW, peer: "127.0.0.1".to_owned(), form, content })
}
