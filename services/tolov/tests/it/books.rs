//! A shop in files, without its services: each store is written by hand, and the operator's commands read it.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tolov_domain::{
    ClickPaydocId, ClickPaymentId, ClickTransId, Event, EventId, EventKind, OrderId, OrderedProduct,
    ProductId, Tiyin, UserId,
    order::OrderLine,
    ports::{
        bus::RETRY_DELAYS_MS,
        notifications::{NotificationLog, SendOutcome},
    },
    refund::api::{FoundPayment, ReportSource, SeenPayment, SeenRequest},
    time::{Timestamp, from_unix_ms, unix_ms},
};
use tolov_embedded::{EmbeddedBus, EmbeddedShop};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_shop::{
    catalogue::{
        Product,
        stock::{self, Goods},
    },
    order::{OrderState, ShopOrder, Stock},
    records, settling,
};
use tolov_webhook::ledger::{
    Ledger, LedgerReader, NewOrder, Outcome, PaidOrder, RelayMarks, UnverifiedLimits, WriterTask,
    restore::Place,
};

use crate::{processes::tolov, shop_world::eventually};

pub(crate) const TEA: i64 = 7;
pub(crate) const STOCK: u32 = 100;

pub(crate) struct Books {
    folder: TempDir,
    pub(crate) shop: EmbeddedShop,
    /// An hour ago: whatever was to be told then has been told.
    pub(crate) then: Timestamp,
}

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn shopper(number: i64) -> UserId {
    UserId::try_new(5_000_000 + number).unwrap()
}

pub(crate) fn tea(count: u32) -> OrderedProduct {
    OrderedProduct { product_id: ProductId::try_new(TEA).unwrap(), count }
}

fn total() -> Tiyin {
    Tiyin::from_soum(30_000).unwrap()
}

fn paid(number: i64, paid_at: Timestamp) -> PaidOrder {
    PaidOrder {
        order_id: order_id(number),
        user_id: shopper(number),
        products: vec![tea(2)],
        amount: total(),
        click_trans_id: ClickTransId::try_new(700_000 + number).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(800_000 + number).unwrap(),
        merchant_prepare_id: None,
        paid_at,
        late: false,
        known_by: "bus",
        receipt: None,
    }
}

impl Books {
    /// Tea, and nothing sold.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("tolov-data");
        std::fs::create_dir(&data).unwrap();
        let bus = EmbeddedBus::open(&data, Arc::new(SystemClock), RETRY_DELAYS_MS).await.unwrap();
        bus.close().await.unwrap();
        let shop = EmbeddedShop::open(&data).await.unwrap();
        let product = Product {
            title: "Choy".to_owned(),
            price: Tiyin::from_soum(15_000).unwrap(),
            stock: Some(STOCK),
            ..Product::new(ProductId::try_new(TEA).unwrap(), 1)
        };
        records::insert(&shop, &product.seal()).await.unwrap();
        let then = SystemClock.now() - time::Duration::hours(1);
        let books = Self { folder, shop, then: from_unix_ms(unix_ms(then)) };
        let (ledger, writer) = books.ledger().await;
        drop(ledger);
        writer.close().await;
        books
    }

    /// After a restore, which has put other files in the place of those that were open.
    pub(crate) async fn reopen(&mut self) {
        self.shop = EmbeddedShop::open(&self.data()).await.unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("tolov-data")
    }

    fn ledger_path(&self) -> PathBuf {
        self.folder.path().join("payments.db")
    }

    /// As long as it is open, no service and no repair can write.
    pub(crate) async fn ledger(&self) -> (Ledger, WriterTask) {
        self.until_unlocked().await;
        Ledger::open(&self.ledger_path(), UnverifiedLimits::default()).await.unwrap()
    }

    /// A program that another test starts at this moment has our lock until it begins.
    async fn until_unlocked(&self) {
        let is_free = async || Place::take(&self.ledger_path()).is_ok();
        eventually("the ledger's lock is free", Duration::from_secs(30), is_free).await;
    }

    /// Everything that the services do for a purchase of two of the tea.
    pub(crate) async fn bought(&self, number: i64) {
        self.placed(number).await;
        self.paid_in_ledger(number).await;
        self.relayed().await;
        self.projected(number).await;
        self.told(number).await;
    }

    /// The shopper has checked out; neither stock nor ledger know of it yet.
    pub(crate) async fn in_shop(&self, number: i64, stock: Stock) -> ShopOrder {
        let order = ShopOrder {
            id: order_id(number),
            user_id: shopper(number),
            lines: vec![OrderLine {
                product_id: tea(2).product_id,
                count: 2,
                title: "Choy".to_owned(),
                price: Tiyin::from_soum(15_000).ok(),
                portion: None,
                fiscal: None,
            }],
            total: total(),
            placed_at: self.then,
            terms: None,
            state: OrderState::AwaitingPayment { link: None, cancel_requested_by: None },
            stock,
            refunds: Vec::new(),
            receipt_url: None,
            history: Vec::new(),
        };
        records::insert(&self.shop, &order).await.unwrap();
        order
    }

    /// The shopper has checked out, and the ledger knows the order.
    pub(crate) async fn placed(&self, number: i64) {
        let order = self.in_shop(number, Stock::Held).await;
        stock::hold(&self.shop, &Goods::of(order.id, &[tea(2)])).await.unwrap();
        let registered = NewOrder {
            order_id: order.id,
            user_id: order.user_id,
            products: vec![tea(2)],
            amount: total(),
            created_at: self.then,
            receipt: None,
        };
        let (ledger, writer) = self.ledger().await;
        assert_eq!(ledger.create_order(registered).await.unwrap(), Outcome::Applied);
        drop(ledger);
        writer.close().await;
    }

    pub(crate) async fn paid_in_ledger(&self, number: i64) {
        self.adopted(vec![paid(number, self.then)]).await;
    }

    pub(crate) async fn ended_in_ledger(&self, number: i64) {
        let (ledger, writer) = self.ledger().await;
        let ended = ledger.cancel_order(order_id(number), SystemClock.now()).await.unwrap();
        assert_eq!(ended, Outcome::Applied);
        drop(ledger);
        writer.close().await;
    }

    /// Orders of people who are still to be told. Returns their payments.
    pub(crate) async fn paid_just_now(&self, numbers: RangeInclusive<i64>) -> Vec<Event> {
        let now = from_unix_ms(unix_ms(SystemClock.now()));
        self.adopted(numbers.clone().map(|number| paid(number, now)).collect()).await;
        let reader = LedgerReader::open(&self.ledger_path()).await.unwrap();
        let payments = reader.payments(numbers, 10_000).await.unwrap();
        reader.close().await;
        payments
    }

    async fn adopted(&self, orders: Vec<PaidOrder>) {
        let (ledger, writer) = self.ledger().await;
        let adopted = ledger.adopt_paid(orders, SystemClock.now()).await.unwrap();
        assert!(adopted.iter().all(|outcome| *outcome == Outcome::Applied), "{adopted:?}");
        drop(ledger);
        writer.close().await;
    }

    /// The bus has confirmed every event, `then` or when it was written. Returns their ids.
    pub(crate) async fn relayed(&self) -> Vec<String> {
        let (ledger, writer) = self.ledger().await;
        let now = SystemClock.now();
        let events = ledger.unsent(now, Duration::from_mins(5), 1_000).await.unwrap().rows;
        let sent = events.iter().map(|event| event.id).collect();
        ledger.mark_relayed(RelayMarks { sent, refused: Vec::new(), at: self.then }).await.unwrap();
        drop(ledger);
        writer.close().await;
        events.into_iter().map(|event| event.event_id).collect()
    }

    pub(crate) async fn payment(&self, number: i64) -> Event {
        self.payments_of(number).await.pop().unwrap()
    }

    pub(crate) async fn is_paid(&self, number: i64) -> bool {
        !self.payments_of(number).await.is_empty()
    }

    async fn payments_of(&self, number: i64) -> Vec<Event> {
        let reader = LedgerReader::open(&self.ledger_path()).await.unwrap();
        let payments = reader.payments_of(&[order_id(number)]).await.unwrap();
        reader.close().await;
        payments
    }

    pub(crate) async fn projected(&self, number: i64) {
        settling::settle(&self.shop, &[self.payment(number).await]).await.unwrap();
    }

    pub(crate) async fn told(&self, number: i64) {
        for recipient in ["shopper", "staff"] {
            let id = EventId::new(format!("payment.completed:{number}/{recipient}"));
            self.shop.settle(&[id], &SendOutcome::Sent { message_id: number }, self.then).await.unwrap();
        }
    }

    /// CLICK shows the payment of one order as not paid, and one of another order that has no attempt. Returns both events' ids.
    pub(crate) async fn questioned(&self, number: i64, other: i64) -> Vec<String> {
        let EventKind::PaymentCompleted { merchant_prepare_id, click_trans_id, .. } =
            self.payment(number).await.kind
        else {
            panic!("order {number} is not paid")
        };
        let payment_id = ClickPaymentId::try_new(900_000 + number).unwrap();
        let seen = SeenRequest {
            source: ReportSource::Status,
            payment: Some(SeenPayment { payment_id, status: -1 }),
            amount_tiyin: None,
            accept: false,
        };
        let (ledger, writer) = self.ledger().await;
        ledger.seen_attempt(merchant_prepare_id, seen, self.then).await.unwrap();
        let found = FoundPayment { order_id: order_id(other), payment_id };
        ledger.found_payment(found, self.then).await.unwrap();
        drop(ledger);
        writer.close().await;
        let question = format!("{number}:{merchant_prepare_id}:trans-{click_trans_id}:reported_unpaid");
        vec![format!("payment.questioned:{question}"), format!("payment.unplaced:{payment_id}")]
    }

    pub(crate) async fn staff_told(&self, events: &[String]) {
        let id = |event: &String| EventId::new(format!("{event}/staff"));
        let ids: Vec<EventId> = events.iter().map(id).collect();
        self.shop.settle(&ids, &SendOutcome::Sent { message_id: 1 }, self.then).await.unwrap();
    }

    pub(crate) async fn order(&self, number: i64) -> ShopOrder {
        records::read(&self.shop, number).await.unwrap().unwrap()
    }

    pub(crate) async fn change(&self, number: i64, change: impl Fn(&mut ShopOrder)) {
        records::change(&self.shop, number, change).await.unwrap().unwrap();
    }

    /// How much of the tea can be sold.
    pub(crate) async fn left(&self) -> u32 {
        let product: Product = records::read(&self.shop, TEA).await.unwrap().unwrap();
        product.stock.unwrap()
    }

    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Output {
        tolov(command, self.folder(), &BTreeMap::new()).args(arguments).output().unwrap()
    }

    /// Audits, and returns the exit code with what was found.
    pub(crate) fn audit(&self, more: &[&str]) -> (Option<i32>, Value) {
        let output = self.run("audit", &[&["--settle-for", "0", "--json"], more].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), report)
    }

    pub(crate) fn has_no_difference(&self) {
        let (code, report) = self.audit(&[]);
        assert_eq!((code, &report["differences"]), (Some(0), &serde_json::json!([])));
    }

    /// The audit names these kinds alone, each about this; then `--repair` says what it did.
    pub(crate) fn is_named_and_repaired(&self, differences: &[(&str, &str)]) {
        let named = |report: &Value, field: &str| -> Vec<String> {
            let list = report["differences"].as_array().unwrap().iter();
            list.map(|it| it[field].as_str().unwrap_or_default().to_owned()).collect()
        };
        let (code, report) = self.audit(&[]);
        let found: Vec<(String, String)> =
            named(&report, "kind").into_iter().zip(named(&report, "about")).collect();
        let wanted: Vec<(String, String)> =
            differences.iter().map(|(kind, about)| ((*kind).to_owned(), (*about).to_owned())).collect();
        assert_eq!((code, found), (Some(1), wanted), "{report:#}");
        let (code, report) = self.audit(&["--repair"]);
        assert_eq!(code, Some(1));
        let repairs = named(&report, "repair");
        let is_right = |result: &str| ["done", "already right"].contains(&result);
        assert!(repairs.iter().all(|result| is_right(result)), "{report:#}");
        let journal = std::fs::read_to_string(self.folder().join("operators.jsonl")).unwrap();
        let repairs = journal.lines().filter(|line| line.contains("\"audit --repair\"")).count();
        assert!(repairs >= 2 * differences.len(), "asked for, and done: {journal}");
    }
}
