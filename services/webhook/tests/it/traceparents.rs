//! Where a trace goes on: an order keeps it, since CLICK's requests do not bring it.

use std::time::Duration;

use tolov_kit::clock::Clock;
use tolov_webhook::maintenance::expire_due;

use crate::{
    app::{API_TOKEN, Setup, TestApp},
    callers::order_json,
    click::AMOUNT,
};

const TAP: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Registers an order for a caller who sends this traceparent.
async fn order_from(app: &TestApp, order_id: i64, traceparent: &str) {
    let request = app.http.post(app.url("/api/create_order")).bearer_auth(API_TOKEN);
    let request = request.header("traceparent", traceparent).body(order_json(order_id, AMOUNT));
    let status = request.send().await.unwrap().status();
    assert!(status.is_success(), "{status}");
}

#[tokio::test]
async fn what_becomes_of_an_order_belongs_to_the_trace_in_which_it_was_registered() {
    let ttl = Duration::from_hours(1);
    let app = TestApp::start_with(Setup { order_ttl: Some(ttl), ..Setup::default() }).await;
    order_from(&app, 1, TAP).await;
    // Again by another trace, as after a restart half way.
    order_from(&app, 1, "00-11111111111111111111111111111111-2222222222222222-01").await;
    app.paid(1).await;
    order_from(&app, 2, TAP).await;
    app.order(3).await;
    order_from(&app, 4, "00-4bf92f3577b34da6a3ce929d0e0e4736-more").await;
    app.clock.advance(time::Duration::hours(2));
    assert_eq!(expire_due(app.ledger(), app.clock.now() - ttl, app.clock.now()).await, 3);
    app.until_the_outbox_is_empty().await;
    for (event_id, traceparent) in [
        ("payment.completed:1", Some(TAP)),
        ("order.expired:2", Some(TAP)),
        ("order.expired:3", None),
        ("order.expired:4", None),
    ] {
        assert_eq!(app.bus.traceparent_of(event_id).as_deref(), traceparent, "{event_id}");
    }
    app.finish().await;
}
