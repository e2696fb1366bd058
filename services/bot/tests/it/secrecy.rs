//! The token is in the URL of every request; it must be in no log line.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use tokio::net::TcpListener;
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};
use url::Url;

use crate::{
    telegram::Answer,
    world::{TOKEN, World, for_shopper, for_staff},
};

/// What was logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Covers the bot and its libraries, at every level.
#[tokio::test]
async fn the_token_is_in_no_log_line_at_any_level() {
    let lines = Lines::default();
    // For the whole process: lines of other tests are checked too, if they come before the end of this one.
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE);
    subscriber.with_writer(lines.clone()).finish().init();

    let mut world = World::new().await;
    world.config.request_timeout = std::time::Duration::from_millis(500);
    world.telegram.will_answer("2", [Answer::ShowAndHang]);
    world.telegram.will_answer("3", [Answer::Refuse(403, "Forbidden: bot was blocked by the user")]);
    for number in 1..=3 {
        world.bus.deliver(&for_shopper(number, number));
        world.bus.deliver(&for_staff(number));
    }
    let bot = world.run_bot();
    world.bus.until_verdicts(&for_shopper(2, 2).notification_id, 1).await;
    bot.stop().await;

    // An address where nobody listens, with a path before the token.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    world.config.api_url = Some(Url::parse(&format!("http://{address}/proxy/telegram")).unwrap());
    let unreachable = for_shopper(4, 4);
    world.bus.deliver(&unreachable);
    let bot = world.run_bot();
    world.bus.until_verdicts(&unreachable.notification_id, 1).await;
    bot.stop().await;

    let lines = lines.text();
    assert!(lines.contains("shopper told") && lines.contains("paid_to_notified_ms=1000"), "{lines}");
    assert!(lines.contains("Telegram is away"), "{lines}");
    let secret = TOKEN.split(':').nth(1).unwrap();
    // The fake Bot API runs on warp, whose own lines may hold the token.
    let leak = lines.lines().find(|line| line.contains(secret) && !line.contains(" warp::filters::"));
    assert_eq!(leak, None);
}
