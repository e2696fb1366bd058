//! Telegram's faults and limits, as teloxide sees them.

use std::time::{Duration, Instant};

use teloxide::{ApiError, RequestError, prelude::*, types::ChatId};
use tolov_sandbox::telegram::{CallOutcome, Fault, FaultEffect};

use crate::running::{STAFF, TOKEN, client, config, start, start_with};

#[tokio::test]
async fn a_429_has_its_wait_and_affects_only_its_calls() {
    let sandbox = start();
    let (bot, shopper, other) = (sandbox.bot(), sandbox.shopper(), sandbox.shopper());
    let effect = FaultEffect::TooManyRequests { retry_after_s: 7 };
    sandbox.telegram().inject(Fault::once("sendMessage", effect).in_chat(shopper).times(2)).unwrap();
    bot.send_message(ChatId(other), "not meant").await.unwrap();
    for _ in 0..2 {
        match bot.send_message(ChatId(shopper), "x").await {
            Err(RequestError::RetryAfter(wait)) => assert_eq!(wait.seconds(), 7),
            other => panic!("{other:?}"),
        }
    }
    bot.send_message(ChatId(shopper), "x").await.unwrap();
    assert!(sandbox.telegram().faults().is_empty());
    assert_eq!(sandbox.telegram().counts()[&shopper], 1);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_message_sent_and_the_bot_without_a_result() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    sandbox.telegram().inject(Fault::once("sendMessage", FaultEffect::LostAnswer)).unwrap();
    let outcome = bot.send_message(ChatId(shopper), "paid").await;
    assert!(matches!(outcome, Err(RequestError::Network(_))), "{outcome:?}");
    let sends = sandbox.telegram().sends();
    let [send] = sends.as_slice() else { panic!("{sends:?}") };
    assert_eq!(
        (send.chat_id, send.message_id, &send.outcome),
        (Some(shopper), Some(1), &CallOutcome::AnswerLost)
    );
    assert_eq!(sandbox.telegram().last_message(shopper).unwrap().text(), "paid");
}

#[tokio::test]
async fn calls_can_be_refused_migrated_and_delayed() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let telegram = sandbox.telegram();
    telegram.inject(Fault::once("SENDMESSAGE", FaultEffect::Blocked)).unwrap();
    let refused = bot.send_message(ChatId(shopper), "x").await;
    assert!(matches!(refused, Err(RequestError::Api(ApiError::BotBlocked))), "{refused:?}");
    telegram.inject(Fault::once("sendMessage", FaultEffect::Migrated { to_chat_id: -100_777 })).unwrap();
    let moved = bot.send_message(ChatId(STAFF), "x").await;
    assert!(matches!(moved, Err(RequestError::MigrateToChatId(ChatId(-100_777)))), "{moved:?}");
    telegram.inject(Fault::once("sendMessage", FaultEffect::Delay { delay_ms: 120 })).unwrap();
    let began = Instant::now();
    bot.send_message(ChatId(shopper), "x").await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(120));

    // teloxide waits ten seconds after a 500, so this call is made without it.
    telegram
        .inject(Fault { method: None, chat_id: None, times: 1, effect: FaultEffect::ServerError })
        .unwrap();
    let url = sandbox.url(&format!("/bot{TOKEN}/getme"));
    let answer = client().get(url.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(answer.text().await.unwrap().contains("\"ok\":false"));
    assert_eq!(client().get(url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_late_answer_comes_after_the_message_is_shown() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let effect = FaultEffect::LateAnswer { delay_ms: 60_000 };
    sandbox.telegram().inject(Fault::once("sendMessage", effect)).unwrap();
    let call = tokio::spawn(async move { bot.send_message(ChatId(shopper), "paid").await });
    sandbox.shown(shopper, "paid").await;
    assert!(!call.is_finished());
    call.abort();
}

#[tokio::test]
async fn telegrams_limits_are_enforced_when_they_are_on() {
    let mut config = config();
    config.telegram.enforce_limits = true;
    let sandbox = start_with(config);
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    for _ in 0..3 {
        bot.send_message(ChatId(shopper), "burst").await.unwrap();
    }
    let fourth = bot.send_message(ChatId(shopper), "too much").await;
    assert!(matches!(fourth, Err(RequestError::RetryAfter(_))), "{fourth:?}");
    sandbox.telegram().enforce_limits(false);
    bot.send_message(ChatId(shopper), "free").await.unwrap();
}
