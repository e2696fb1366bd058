//! A background task that ends or panics ends the service: without it payments are accepted and nothing comes of them.

use std::time::Duration;

use tolov_webhook::{RunError, maintenance::Maintenance};

use crate::app::{Setup, TestApp, generous};

#[tokio::test]
async fn a_relay_that_panics_ends_the_service_with_an_error() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.bus.panic_from_now_on();
    app.paid(1).await;
    let ended = app.ended().await;
    assert!(matches!(ended, RunError::Panicked(_)), "{ended:?}");
    app.events_may_wait();
    app.finish().await;
}

#[tokio::test]
async fn a_time_limit_beyond_the_calendar_expires_nothing_and_ends_nothing() {
    let order_ttl = Some(Duration::from_hours(24 * 500_000_000));
    let app = TestApp::start_with(Setup { order_ttl, ..Setup::default() }).await;
    app.order(1).await;
    let clock = std::sync::Arc::new(app.clock.clone());
    Maintenance::new(app.ledger().clone(), clock, order_ttl, generous()).round().await;
    assert_eq!(app.status_of(1).await, "pending");
    app.finish().await;
}
