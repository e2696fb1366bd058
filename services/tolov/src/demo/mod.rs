//! `tolov demo`: everything in one process, with a simulated Telegram and a simulated CLICK. It runs one purchase over real
//! HTTP, then keeps running and lets a person pay in a browser.

mod browser;
mod checkout;
mod instrumented_bus;
mod instrumented_shop;
mod page_feed;
mod purchase;
mod services;
mod shop;
mod timeline;

use std::time::Duration;

use anyhow::Result;
use tolov_kit::{
    env::Env,
    lifecycle::{Ending, Stop, Tasks, stop_on_signals},
};
use tolov_sandbox::click::{TEST_CARD, TEST_CARD_EXPIRY, TEST_SMS_CODE};

use self::{checkout::Order, shop::DemoShop, timeline::Timeline};
use crate::{cli::Demo, roles::STOP_DEADLINE};

/// The pause after an order that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

pub(crate) async fn run(env: &Env, options: &Demo) -> Result<Ending> {
    let sandbox_addr = env.parsed("SANDBOX_ADDR");
    let order_ttl = tolov_webhook::config::order_ttl(env);
    env.finish()?;
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let mut tasks = Tasks::default();
    let shop = DemoShop::start(&mut tasks, &stop, sandbox_addr, order_ttl).await?;
    let running = tokio::spawn(tasks.run(stop.clone(), STOP_DEADLINE));
    println!(
        "Tolov demo: one process, embedded stores, a simulated Telegram and a simulated CLICK on {}\n",
        shop.url()
    );
    println!("Open {} to see it work\n", shop.url());
    if !options.once && !options.no_open {
        browser::open(shop.url().as_str());
    }
    let outcome = tokio::select! {
        outcome = run_purchases(&shop, options.once) => outcome,
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

/// Returns the last line of a demo that ends by itself; otherwise runs until it is stopped.
async fn run_purchases(shop: &DemoShop, once: bool) -> Result<Option<String>> {
    let timeline = Timeline::start();
    let order = purchase::register(shop, &timeline).await?;
    let notified_after = purchase::pay_and_follow(shop, &order, &timeline).await?;
    let last_line =
        format!("order {} paid, shopper notified after {} ms", order.id, notified_after.as_millis());
    if once {
        return Ok(Some(last_line));
    }
    println!("\n{last_line}\n");
    explain(shop);
    loop {
        // The page can stop broker, store and bot for a while; the demo goes on.
        if let Err(error) = invite_and_follow(shop).await {
            println!("  {error:#}\n");
            tokio::time::sleep(AFTER_FAILURE).await;
        }
    }
}

async fn invite_and_follow(shop: &DemoShop) -> Result<()> {
    let order = purchase::register(shop, &Timeline::silent()).await?;
    invite(&order);
    let timeline = purchase::wait_for_payer(shop, &order).await?;
    purchase::follow(shop, &order, &timeline).await?;
    println!();
    Ok(())
}

fn explain(shop: &DemoShop) {
    let url = shop.url();
    println!("It keeps running. Things to try, in a browser or with curl:");
    println!("  {url}sandbox                       the commands of the sandbox");
    println!("  {url}sandbox/click/payments        CLICK's calls and our answers");
    println!("  {url}sandbox/telegram/chats/{}/messages   the shopper's chat", shop.shopper_id());
    println!("  {}ready                       the webhook service and its outbox", shop.webhook_url());
    println!("Ctrl-C ends it and deletes its files.\n");
}

fn invite(order: &Order) {
    println!(
        "Now pay order {} yourself: card {TEST_CARD}, {TEST_CARD_EXPIRY}, SMS code {TEST_SMS_CODE}",
        order.id
    );
    println!("  {}\n", order.payment_url);
}
