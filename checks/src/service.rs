//! The webhook service as the benches run it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
};

use anyhow::Result;
use futures_util::{TryStreamExt, stream};
use tokio::task::JoinHandle;
use tolov_click::{PayLink, SecretKey, link::CLICK_PAY_PAGE};
use tolov_domain::{OrderId, OrderedProduct, ProductId, Tiyin, UserId, ports::bus::Publisher};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
    secret::Secret,
};
use tolov_webhook::{
    ClickConfig, Config, Deps, Service,
    ledger::{Ledger, LedgerPlace, NewOrder, UnverifiedLimits},
};

use crate::load::{PROXY, Shop, Way};

pub const SERVICE_ID: i64 = 12345;
/// Of every order, in so'm as CLICK writes it.
pub const AMOUNT: &str = "30000";
pub const SECRET_KEY: &str = "bench";
/// So many orders are registered at once.
const REGISTERING: usize = 256;

/// A server under load.
#[derive(Debug)]
pub struct Server {
    pub addr: SocketAddr,
    pub stop: Stop,
    pub ended: JoinHandle<io::Result<()>>,
}

impl Server {
    /// The webhook service on this ledger, with the ledger itself for orders to be registered in. Drop it before the end.
    pub async fn webhook(ledger: LedgerPlace, bus: Arc<dyn Publisher>) -> Result<(Self, Ledger)> {
        let config = Config {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            ledger,
            api_token: Secret::new("bench"),
            click: ClickConfig {
                secret_key: SecretKey::new(SECRET_KEY),
                test_mode: false,
                pay_link: PayLink {
                    pay_page: CLICK_PAY_PAGE.to_owned(),
                    service_id: SERVICE_ID,
                    merchant_id: 1,
                    merchant_user_id: None,
                    return_url: None,
                },
            },
            order_ttl: None,
            trusted_proxies: PROXY.to_string().parse()?,
            unverified: UnverifiedLimits::default(),
        };
        let service = Service::new(config, Deps { bus, clock: Arc::new(SystemClock) }).await?;
        let ledger = service.ledger();
        let (addr, stop) = (service.addr(), Stop::new());
        let running = service.run(stop.clone());
        let ended = tokio::spawn(async move { running.await.map_err(io::Error::other) });
        Ok((Self { addr, stop, ended }, ledger))
    }

    /// The same, with these orders registered.
    pub async fn with_orders(
        place: LedgerPlace,
        bus: Arc<dyn Publisher>,
        orders: RangeInclusive<i64>,
    ) -> Result<Self> {
        let (server, ledger) = Self::webhook(place, bus).await?;
        stream::iter(orders.map(Ok))
            .try_for_each_concurrent(REGISTERING, |order| {
                let (ledger, created_at) = (&ledger, SystemClock.now());
                async move {
                    let order = NewOrder {
                        order_id: OrderId::try_new(order)?,
                        user_id: UserId::try_new(5551)?,
                        products: vec![OrderedProduct { product_id: ProductId::try_new(7)?, count: 2 }],
                        amount: Tiyin::parse_soum(AMOUNT)?,
                        created_at,
                        receipt: None,
                    };
                    ledger.create_order(order).await?;
                    anyhow::Ok(())
                }
            })
            .await?;
        Ok(server)
    }

    /// What the load is played against.
    pub fn shop(&self) -> Shop {
        Shop {
            addr: self.addr,
            service_id: SERVICE_ID,
            secret_key: SecretKey::new(SECRET_KEY),
            amount: AMOUNT,
            way: Way::Direct(Ipv4Addr::LOCALHOST),
        }
    }

    pub async fn close(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.ended.await??)
    }
}
