//! The webhook service in a process of its own, on a bus that stores windows in a file and never confirms them:
//! the process that tests/it/killing.rs kills.
//!
//! `killed_service FOLDER LEDGER API_TOKEN SECRET_KEY SERVICE_ID`; writes where it listens to FOLDER/address.
#![expect(clippy::unwrap_used, reason = "a process that cannot go on has failed the test that started it")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tolov_click::{PayLink, SecretKey, link::CLICK_PAY_PAGE};
use tolov_domain::ports::{
    PortError,
    bus::{OutgoingMessage, Published, Publisher},
};
use tolov_kit::{clock::SystemClock, http::TrustedProxies, lifecycle::Stop, secret::Secret};
use tolov_webhook::{
    ClickConfig, Config, Deps, Service,
    ledger::{LedgerPlace, UnverifiedLimits},
};

/// A parent that died must not leave this behind for ever.
const LIFE_MAX: Duration = Duration::from_mins(1);

#[derive(Debug)]
struct SilentBus(PathBuf);

#[async_trait]
impl Publisher for SilentBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let ids: Vec<&str> = window.iter().map(|message| message.id.as_str()).collect();
        tokio::fs::write(&self.0, ids.join("\n")).await.unwrap();
        std::future::pending().await
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, ledger, api_token, secret_key, service_id] = arguments.as_slice() else {
        unreachable!("FOLDER LEDGER API_TOKEN SECRET_KEY SERVICE_ID")
    };
    let folder = PathBuf::from(folder);
    let config = config(ledger, api_token, secret_key, service_id.parse().unwrap());
    let deps = Deps { bus: Arc::new(SilentBus(folder.join("bus"))), clock: Arc::new(SystemClock) };
    let service = Service::new(config, deps).await.unwrap();
    std::fs::write(folder.join("address.part"), service.addr().to_string()).unwrap();
    std::fs::rename(folder.join("address.part"), folder.join("address")).unwrap();
    let ended = tokio::time::timeout(LIFE_MAX, service.run(Stop::new())).await;
    ended.unwrap().unwrap();
}

fn config(ledger: &str, api_token: &str, secret_key: &str, service_id: i64) -> Config {
    let is_address = ledger.starts_with("postgres://");
    let ledger =
        if is_address { LedgerPlace::Postgres(Secret::new(ledger)) } else { Path::new(ledger).into() };
    Config {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        ledger,
        api_token: Secret::new(api_token),
        click: ClickConfig {
            secret_key: SecretKey::new(secret_key),
            test_mode: false,
            pay_link: PayLink {
                pay_page: CLICK_PAY_PAGE.to_owned(),
                service_id,
                merchant_id: 678,
                merchant_user_id: None,
                return_url: None,
            },
        },
        order_ttl: None,
        trusted_proxies: TrustedProxies::default(),
        unverified: UnverifiedLimits::default(),
    }
}
