//! The secret key, the API token and signatures are told to nobody. Every test of this binary ends with a look at
//! everything that was logged (`app::finish`); here it is made sure that the look sees, and files are read too.

use crate::{
    app::{API_TOKEN, TestApp},
    callers::order_json,
    click::{Callback, SECRET_KEY},
    log_watch::{PLANTED, install, leaks, lines, planted_leaks, tells_a_secret},
};

#[tokio::test]
async fn the_watch_sees_a_secret_wherever_it_stands_in_a_line() {
    install();
    let signature = Callback::prepare(1).signature();
    tracing::info!(key = SECRET_KEY, "{PLANTED}");
    tracing::trace!("{PLANTED}: Bearer {API_TOKEN}");
    tracing::debug!(target: "tolov_webhook::http", %signature, "{PLANTED}");
    tracing::info!("{PLANTED}: an order number such as 9223372036854775807 is no secret");
    assert_eq!(planted_leaks(), 3);
}

#[tokio::test]
async fn a_run_with_every_kind_of_request_logs_much_and_tells_no_secret() {
    let mut app = TestApp::start().await;
    let lines_before = lines();
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    app.bus.reject("payment.completed:1");
    app.code(&Callback::complete(1, prepare_id)).await;
    app.code(&Callback::cancel(1, prepare_id, -1)).await;
    app.code(&Callback::prepare(1).badly_signed()).await;
    app.code(&Callback::prepare(2).with("action", 7)).await;
    app.code(&Callback::prepare(1).signed_with("another-key")).await;
    app.send_body(Callback::prepare(1).body_without("amount")).await;
    // A signature where none belongs must not be repeated in an answer or a log line.
    app.send_body(format!(
        "{}&sign_string={}",
        Callback::prepare(1).body(),
        Callback::prepare(1).signature()
    ))
    .await;
    app.create(&order_json(1, "1")).await;
    app.create("{").await;
    let wrong = app.http.get(app.url("/orders")).bearer_auth(format!("{API_TOKEN}x")).send().await.unwrap();
    assert!(!tells_a_secret(&wrong.text().await.unwrap()));
    for path in ["/orders", "/orders/1", "/ready", "/health", "/nowhere"] {
        let (_, answer) = app.get(path).await;
        assert!(!tells_a_secret(&answer.to_string()), "{answer}");
    }
    assert!(!tells_a_secret(&format!("{:?}", app.config())));
    app.bus.accept("payment.completed:1");
    app.clock.advance(time::Duration::seconds(1));
    app.until_the_outbox_is_empty().await;
    app.stop().await;
    assert!(lines() - lines_before > 20, "too few lines were seen");
    assert_eq!(leaks(), Vec::<String>::new());
    app.finish().await;
}
