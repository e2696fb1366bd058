//! A sandbox that runs for the length of a test.

use std::{net::SocketAddr, time::Duration};

use teloxide::Bot;
use tokio::task::JoinHandle;
use tolov_kit::{lifecycle::Stop, secret::Secret};
use tolov_sandbox::{
    Config, Handle, Service,
    click::ClickConfig,
    telegram::{Channel, Message, NewShopper, Telegram},
};
use url::Url;

pub(crate) const TOKEN: &str = "123456:TEST-token_of_the_sandbox";
pub(crate) const STAFF: i64 = -1_001_234;
pub(crate) const SERVICE_ID: i64 = 12345;
pub(crate) const MERCHANT_ID: i64 = 678;
pub(crate) const SECRET_KEY: &str = "sandbox-only-key-of-the-tests";
/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
}

pub(crate) fn config() -> Config {
    let mut click = ClickConfig::new(SERVICE_ID, MERCHANT_ID, Secret::new(SECRET_KEY));
    click.first_pause = Duration::from_millis(5);
    click.longest_pause = Duration::from_millis(20);
    click.answer_timeout = Duration::from_millis(300);
    let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)), click);
    config.telegram.channels =
        vec![Channel { id: STAFF, title: "Staff".to_owned(), username: Some("tolov_staff".to_owned()) }];
    config
}

pub(crate) fn start() -> Running {
    start_with(config())
}

pub(crate) fn start_with(config: Config) -> Running {
    let sandbox = Service::build(config).unwrap();
    let (addr, handle, stop) = (sandbox.addr(), sandbox.handle(), Stop::new());
    let task = tokio::spawn(sandbox.run(stop.clone()));
    Running { addr, handle, stop, task }
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.addr)).unwrap()
    }

    pub(crate) fn bot(&self) -> Bot {
        self.bot_with_token(TOKEN)
    }

    pub(crate) fn bot_with_token(&self, token: &str) -> Bot {
        Bot::with_client(token, client()).set_api_url(self.url("/"))
    }

    pub(crate) fn telegram(&self) -> &Telegram {
        self.handle.telegram()
    }

    pub(crate) fn shopper(&self) -> i64 {
        self.telegram().create_shopper(NewShopper::default()).unwrap().id
    }

    pub(crate) async fn shown(&self, chat_id: i64, text: &str) -> Message {
        self.telegram().wait_for(chat_id, text, 0, SOON).await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
