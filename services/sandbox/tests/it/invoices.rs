//! Telegram's invoices: what is refused, the question to the bot, and the money.

use teloxide::{
    payloads::{AnswerPreCheckoutQuerySetters, SendInvoiceSetters},
    prelude::*,
    types::{ChatId, LabeledPrice, UpdateKind},
};
use tolov_sandbox::telegram::ControlError;

use crate::running::{SOON, start};

const TOKEN: &str = "398062629:TEST:token";

#[tokio::test]
async fn an_invoice_is_paid_when_the_bot_agrees_and_told_as_often_as_asked() {
    let sandbox = start();
    let (bot, shopper, telegram) = (sandbox.bot(), sandbox.shopper(), sandbox.telegram());
    let price = [LabeledPrice::new("Buyurtma", 3_000_000)];
    bot.send_invoice(ChatId(shopper), "№ 1", "Choy", "order-1", "UZS", price)
        .provider_token(TOKEN)
        .await
        .unwrap();
    let answering = async {
        loop {
            for update in bot.get_updates().await.unwrap() {
                let UpdateKind::PreCheckoutQuery(query) = update.kind else { continue };
                assert_eq!((query.total_amount, query.invoice_payload.as_str()), (3_000_000, "order-1"));
                bot.answer_pre_checkout_query(query.id, true).await.unwrap();
                return;
            }
        }
    };
    let (paid, ()) = tokio::join!(telegram.pay_invoice(shopper, None), answering);
    let paid = paid.unwrap();
    let first = paid.paid.clone().unwrap();
    let again = telegram.take_money(&paid.id).unwrap().paid.unwrap();
    assert_eq!(first, again, "the same payment, told once more");
    let told = bot.get_updates().await.unwrap().into_iter().filter(|update| {
        matches!(&update.kind, UpdateKind::Message(message) if message.successful_payment().is_some())
    });
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn without_the_bots_consent_nothing_is_paid() {
    let sandbox = start();
    let (bot, shopper, telegram) = (sandbox.bot(), sandbox.shopper(), sandbox.telegram());
    let price = [LabeledPrice::new("Buyurtma", 3_000_000)];
    let invoice = bot.send_invoice(ChatId(shopper), "№ 1", "Choy", "order-1", "UZS", price);
    invoice.provider_token(TOKEN).await.unwrap();
    let asked = telegram.check_out(shopper, None).unwrap();
    let id = teloxide::types::PreCheckoutQueryId(asked.id.clone());
    bot.answer_pre_checkout_query(id, false).error_message("Muddati o'tgan").await.unwrap();
    let answered = telegram.wait_for_checkout(&asked.id, SOON).await.unwrap();
    let answer = answered.answer.unwrap();
    assert_eq!((answer.ok, answer.error_message.as_deref()), (false, Some("Muddati o'tgan")));
    assert!(answered.paid.is_none());
    let none = telegram.check_out(shopper, Some(99)).unwrap_err();
    assert!(matches!(none, ControlError::NoMessage { .. }), "{none:?}");
}

#[tokio::test]
async fn what_telegram_refuses_is_refused() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let send = |currency: &str, amount: u32, token: &str| {
        let price = [LabeledPrice::new("Buyurtma", amount)];
        bot.send_invoice(ChatId(shopper), "№ 1", "Choy", "order-1", currency, price).provider_token(token)
    };
    for (invoice, why) in [
        (send("USD", 3_000_000, TOKEN), "currency"),
        (send("UZS", 100, TOKEN), "a sum below Telegram's least"),
        (send("UZS", 3_000_000, "token"), "token"),
    ] {
        assert!(invoice.await.is_err(), "{why}");
    }
}
