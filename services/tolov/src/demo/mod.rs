//! `tolov demo`: everything in one process, with a pretend Telegram and a pretend CLICK. It plays one purchase over
//! real HTTP, then stays up and lets a person pay in a browser.
#![expect(clippy::print_stdout, reason = "the timeline is this command's answer")]

mod desk;
mod parts;
mod purchase;
mod shop;
mod timeline;
mod watch;
mod watched_bus;
mod watched_shop;

use std::time::Duration;

use anyhow::Result;
use tolov_kit::{
    env::Env,
    lifecycle::{Ending, Stop, Tasks, stop_on_signals},
};
use tolov_sandbox::click::{TEST_CARD, TEST_CARD_EXPIRY, TEST_SMS_CODE};

use self::{desk::Order, shop::DemoShop, timeline::Timeline};
use crate::{cli::Demo, roles::STOP_DEADLINE};

/// A pause before the next order of a demo whose last one went wrong.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

pub(crate) async fn run(env: &Env, options: &Demo) -> Result<Ending> {
    let wished = env.parsed("SANDBOX_ADDR");
    env.finish()?;
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let mut tasks = Tasks::default();
    let shop = DemoShop::start(&mut tasks, &stop, wished).await?;
    let running = tokio::spawn(tasks.run(stop.clone(), STOP_DEADLINE));
    println!(
        "Tolov demo: one process, embedded stores, a pretend Telegram and a pretend CLICK on {}\n",
        shop.url()
    );
    println!("Open {} to see it work\n", shop.url());
    let outcome = tokio::select! {
        outcome = play(&shop, options.once) => outcome,
        () = stop.cancelled() => Ok(None),
    };
    stop.cancel();
    let ending = running.await?;
    shop.close().await;
    if let Some(last_line) = outcome? {
        println!("{last_line}");
    }
    Ok(ending)
}

/// Returns the last line of a demo that is to end by itself; one that stays up goes on until it is stopped.
async fn play(shop: &DemoShop, once: bool) -> Result<Option<String>> {
    let timeline = Timeline::start();
    let order = purchase::register(shop, &timeline).await?;
    let told = purchase::pay_and_watch(shop, &order, &timeline).await?;
    let last_line = format!("order {} paid, shopper notified after {} ms", order.id, told.as_millis());
    if once {
        return Ok(Some(last_line));
    }
    println!("\n{last_line}\n");
    explain(shop);
    loop {
        // What the page stops is not there for a while: that is no reason to end.
        if let Err(problem) = invite_and_watch(shop).await {
            println!("  {problem:#}\n");
            tokio::time::sleep(AFTER_TROUBLE).await;
        }
    }
}

async fn invite_and_watch(shop: &DemoShop) -> Result<()> {
    let order = purchase::register(shop, &Timeline::silent()).await?;
    invite(&order);
    let timeline = purchase::wait_for_payer(shop, &order).await?;
    purchase::watch(shop, &order, &timeline).await?;
    println!();
    Ok(())
}

fn explain(shop: &DemoShop) {
    let url = shop.url();
    println!("It stays up. Things to try, in a browser or with curl:");
    println!("  {url}sandbox                       what the sandbox can be told");
    println!("  {url}sandbox/click/payments        what CLICK said, and what it was answered");
    println!("  {url}sandbox/telegram/chats/{}/messages   the shopper's chat", shop.shopper_id());
    println!("  {}ready                       the webhook service and its outbox", shop.webhook_url());
    println!("Ctrl-C ends it and leaves nothing behind.\n");
}

fn invite(order: &Order) {
    println!(
        "Now pay order {} yourself: card {TEST_CARD}, {TEST_CARD_EXPIRY}, SMS code {TEST_SMS_CODE}",
        order.id
    );
    println!("  {}\n", order.payment_url);
}
