//! A bot with its fakes, and notifications to deliver to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use time::macros::datetime;
use tokio::task::JoinHandle;
use tolov_bot::{Config, Deps, Service};
use tolov_domain::{
    ClickPaydocId, EventId, OrderId, Phone, ProductId, RefundId, Tiyin, UnplacedPayment, UserId,
    notification::{Notification, Recipient, SCHEMA, Subject},
    order::OrderLine,
    ports::{
        ShopStore,
        documents::{Collection, Documents, Key},
    },
    refund::UndecidedState,
};
use tolov_kit::{
    clock::ManualClock,
    lifecycle::{Stop, TaskError},
    secret::Secret,
};
use tolov_shop::order::{Delivery, OrderState, ShopOrder, Stock, Terms};
use url::Url;

use crate::{
    bus::{Bus, Reader},
    shop::Shop,
    telegram::Telegram,
};

pub(crate) const STAFF: &str = "-1001";
/// In the form of a real one.
pub(crate) const TOKEN: &str = "535362388:AAF7-g0gYncWnm5IyfZlpPRqRRv6kNAGlao";

pub(crate) struct World {
    pub(crate) telegram: Arc<Telegram>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) shop: Arc<Shop>,
    pub(crate) clock: ManualClock,
    pub(crate) config: Config,
}

impl World {
    /// Delayed deliveries come again 100 times as fast as asked.
    pub(crate) async fn new() -> Self {
        Self::with_bus(Bus::new(Some(100))).await
    }

    /// Delayed deliveries come again when the test says so.
    pub(crate) async fn where_the_test_redelivers() -> Self {
        Self::with_bus(Bus::new(None)).await
    }

    async fn with_bus(bus: Arc<Bus>) -> Self {
        let (telegram, address) = Telegram::start().await;
        // Nobody listens there: orders are not registered in these tests.
        let webhook_url = Url::parse("http://127.0.0.1:9").unwrap();
        let (token, api_token) = (Secret::new(TOKEN), Secret::new("api-token"));
        let mut config = Config::new(token, STAFF.parse().unwrap(), webhook_url, api_token);
        config.api_url = Some(Url::parse(&format!("http://{address}")).unwrap());
        config.messages_per_s = 1000;
        config.channel_posts_per_min = 60;
        config.renew_every = Duration::from_millis(200);
        let clock = ManualClock::new(datetime!(2026-11-23 07:05:07 UTC));
        Self { telegram, bus, shop: Arc::default(), clock, config }
    }

    /// Starts a bot; several may run at once.
    pub(crate) fn run_bot(&self) -> Running {
        self.run_bot_on(Arc::<Shop>::clone(&self.shop))
    }

    /// The same on something that stands before the store.
    pub(crate) fn run_bot_on(&self, shop: Arc<dyn ShopStore>) -> Running {
        let deps = Deps {
            consumer: Arc::new(Reader(Arc::clone(&self.bus))),
            shop,
            clock: Arc::new(self.clock.clone()),
            trace: None,
        };
        let stop = Stop::new();
        let service = Service::new(self.config.clone(), &deps).unwrap();
        let telegram_status = Box::new(service.telegram_status());
        Running { task: tokio::spawn(service.run(stop.clone())), stop, telegram_status }
    }
}

impl World {
    /// Waits until so many bots run and each knows of the others: it has renewed its entry since all are in the roster.
    pub(crate) async fn until_bots(&self, count: usize) {
        let mut all = BTreeMap::new();
        let wait = async {
            loop {
                let beats = self.beats().await;
                let renewed =
                    beats.iter().filter(|(bot, beat)| all.get(*bot).is_some_and(|then| **beat > then + 1));
                if renewed.count() >= count {
                    return;
                }
                if all.len() < count || beats.keys().any(|bot| !all.contains_key(bot)) {
                    all = beats;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap();
    }

    /// The last beat of each bot, by its number. One that was killed stays for a while.
    async fn beats(&self) -> BTreeMap<i64, i64> {
        let roster = self.shop.documents.get(Collection::new("bots", &[]), &Key::Number(1)).await.unwrap();
        let bots = roster.map(|roster| roster.body["bots"].as_array().cloned().unwrap_or_default());
        let number = |bot: &Value, field: &str| bot[field].as_i64().unwrap();
        bots.unwrap_or_default().iter().map(|bot| (number(bot, "number"), number(bot, "beat"))).collect()
    }
}

pub(crate) struct Running {
    task: JoinHandle<Result<(), TaskError>>,
    stop: Stop,
    telegram_status: Box<dyn Fn() -> bool>,
}

impl Running {
    /// What readiness says.
    pub(crate) fn reaches_telegram(&self) -> bool {
        (self.telegram_status)()
    }

    /// Told to stop, as by SIGTERM.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), self.task).await.unwrap().unwrap().unwrap();
    }

    /// Killed, as by SIGKILL.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// A new order without lines that is picked up, of goods at 12,000 so'm, with its stock held.
pub(crate) fn order(number: i64, user_id: UserId, state: OrderState) -> ShopOrder {
    let total = Tiyin::from_soum(12_000).unwrap();
    ShopOrder {
        id: OrderId::try_new(number).unwrap(),
        user_id,
        lines: Vec::new(),
        total,
        placed_at: datetime!(2026-11-23 07:00 UTC),
        terms: Some(Terms {
            goods: total,
            discount: Tiyin::ZERO,
            promo_code: None,
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Pickup,
            phone: Phone::parse("+998901234567").unwrap(),
            comment: None,
        }),
        state,
        stock: Stock::Held,
        refunds: Vec::new(),
        receipt_url: None,
        history: Vec::new(),
    }
}

pub(crate) fn for_shopper(number: i64, user: i64) -> Notification {
    notification(number, user, Recipient::Shopper, false)
}

pub(crate) fn for_staff(number: i64) -> Notification {
    notification(number, 5551, Recipient::Staff, false)
}

/// Money that CLICK took and the ledger could not place.
pub(crate) fn unplaced(click_trans_id: &str, order: &str) -> UnplacedPayment {
    UnplacedPayment {
        schema: tolov_domain::unplaced::SCHEMA.to_owned(),
        event_id: UnplacedPayment::id_of(click_trans_id),
        click_trans_id: click_trans_id.to_owned(),
        click_paydoc_id: "2001".to_owned(),
        merchant_trans_id: order.to_owned(),
        amount: "30000.50".to_owned(),
        answer: -5,
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
    }
}

pub(crate) fn notification(number: i64, user: i64, recipient: Recipient, late: bool) -> Notification {
    let whom = if recipient == Recipient::Staff { "staff" } else { "shopper" };
    Notification {
        schema: SCHEMA.to_owned(),
        notification_id: EventId::new(format!("payment.completed:{number}/{whom}")),
        recipient,
        order_id: OrderId::try_new(number).unwrap(),
        user_id: UserId::try_new(user).unwrap(),
        lines: vec![OrderLine {
            product_id: ProductId::try_new(7).unwrap(),
            count: 2,
            title: "Pizza <b>&".to_owned(),
            price: None,
            portion: None,
            fiscal: None,
        }],
        total_tiyin: Tiyin::from_soum(30_000).unwrap(),
        subject: Subject::OrderPaid {
            click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
            late,
            stock_settled: true,
        },
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
    }
}

pub(crate) fn expired(number: i64, user: i64) -> Notification {
    Notification {
        notification_id: EventId::new(format!("order.expired:{number}/shopper")),
        subject: Subject::OrderExpired,
        ..for_shopper(number, user)
    }
}

/// Nobody knows whether a part of this order's money went back.
pub(crate) fn refund_undecided(number: i64) -> Notification {
    Notification {
        notification_id: EventId::new(format!("refund.undecided:{number}/staff")),
        subject: Subject::RefundUndecided {
            refund_id: RefundId::try_new(3).unwrap(),
            refunded_tiyin: Tiyin::from_soum(30_000).unwrap(),
            state: UndecidedState::Refused,
            why: None,
            click_code: None,
            click_note: None,
        },
        ..for_staff(number)
    }
}
