//! The operator's commands on files: backups, their encryption, and messages that are deleted by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Output,
    sync::Arc,
};

use age::{secrecy::ExposeSecret, x25519};
use serde_json::Value;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventId, EventKind, OrderId, OrderedProduct, PrepareId, ProductId,
    RefundId, Tiyin,
    ports::bus::{OutgoingMessage, Published, Queue, Route, RoutingKey, Verdict},
    receipt::ReceiptState,
    refund::RefundStatus,
    time::{Timestamp, unix_ms},
};
use tolov_embedded::{EmbeddedBus, EmbeddedShop};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_shop::{
    order::{OrderRefund, OrderState, PaymentLink, ShopOrder},
    records,
};
use tolov_webhook::ledger::{Ledger, OrderStatus, UnverifiedLimits};

use crate::{
    books::{Books, shopper},
    paid_order::paid_order,
    processes::tolov,
};

fn run(folder: &Path, environment: &[(&str, &str)], command: &[&str]) -> Output {
    let environment: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    tolov(command[0], folder, &environment).args(&command[1..]).output().unwrap()
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn done(folder: &Path, environment: &[(&str, &str)], command: &[&str]) -> String {
    let output = run(folder, environment, command);
    assert!(output.status.success(), "{command:?}: {}", printed(&output));
    printed(&output)
}

pub(crate) async fn empty_ledger(folder: &Path) {
    let (ledger, writer) =
        Ledger::open(&folder.join("payments.db"), UnverifiedLimits::default()).await.unwrap();
    drop(ledger);
    writer.close().await;
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_encrypted_backup_is_verified_and_restored_with_its_private_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    let owner = x25519::Identity::generate();
    let recipient = owner.to_public().to_string();
    let encrypted = [("BACKUP_RECIPIENT", recipient.as_str())];
    std::fs::write(folder.join("key.txt"), owner.to_string().expose_secret()).unwrap();
    done(folder, &encrypted, &["backup", "shop.tar.gz.age"]);
    let bytes = std::fs::read(folder.join("shop.tar.gz.age")).unwrap();
    assert!(!bytes.windows(11).any(|bytes| bytes == b"payments.db"), "not even the names can be read");

    let refused = run(folder, &[], &["verify", "shop.tar.gz.age"]);
    assert!(printed(&refused).contains("--identity"), "{}", printed(&refused));
    let told = done(folder, &[], &["verify", "shop.tar.gz.age", "--identity", "key.txt"]);
    assert!(told.contains("this release can open them"), "{told}");
    std::fs::remove_file(folder.join("payments.db")).unwrap();
    done(folder, &[], &["restore", "shop.tar.gz.age", "--identity", "key.txt"]);
    assert!(folder.join("payments.db").exists());

    let refused = run(folder, &[("BACKUP_RECIPIENT", "age1nobody")], &["backup", "another"]);
    assert_eq!(refused.status.code(), Some(2), "{}", printed(&refused));
    assert!(printed(&refused).contains("BACKUP_RECIPIENT"), "{}", printed(&refused));
}

#[test]
fn where_everything_is_in_servers_a_release_says_that_it_tried_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let servers = [
        ("LEDGER_URL", "postgres://webhook:pw@127.0.0.1:9/tolov"),
        ("AMQP_URL", "amqp://127.0.0.1:9/%2f"),
        ("MONGO_URL", "mongodb://127.0.0.1:9/tolov"),
    ];
    let told = done(folder.path(), &servers, &["verify"]);
    assert!(told.contains("nothing was checked") && told.contains("pg_dump"), "{told}");
    assert!(!told.contains("this release can open them"), "{told}");
}

#[test]
fn a_health_check_reads_the_address_as_the_service_does_and_tells_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("addr"), "127.0.0.1:9\n").unwrap();
    for (settings, code, wanted) in [
        ("METRICS_ADDR=\"127.0.0.1:9\"", 1, "127.0.0.1:9/health does not answer"),
        ("METRICS_ADDR_FILE=addr", 1, "127.0.0.1:9/health does not answer"),
        // install.sh takes this one for a mistake in the settings, and switches nothing.
        ("METRICS_ADDR=", 2, "METRICS_ADDR is missing"),
    ] {
        std::fs::write(folder.join("tolov.env"), settings).unwrap();
        let checked = run(folder, &[], &["healthcheck", "--env-file", "tolov.env"]);
        assert_eq!(checked.status.code(), Some(code), "{settings}: {}", printed(&checked));
        assert!(printed(&checked).contains(wanted), "{settings}: {}", printed(&checked));
    }
}

#[tokio::test]
async fn a_release_tries_the_present_data_on_a_copy_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    done(folder, &[], &["seed"]);
    // The first command of any kind creates the folder's lock.
    done(folder, &[], &["verify"]);
    let (before, ledger) = (names(folder), std::fs::read(folder.join("payments.db")).unwrap());
    let told = done(folder, &[], &["verify"]);
    assert!(told.contains("payments.db, shop.db") && told.contains("this release can open them"), "{told}");
    assert_eq!(names(folder), before);
    assert!(
        std::fs::read(folder.join("payments.db")).unwrap() == ledger,
        "the ledger itself was not touched"
    );
}

#[tokio::test]
async fn backups_of_a_folder_are_named_by_their_time_and_kept_by_days() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    std::fs::create_dir(folder.join("backups")).unwrap();
    for day in 1..=5 {
        std::fs::write(folder.join(format!("backups/tolov-2026-01-0{day}T033000Z.tar")), "old").unwrap();
    }
    done(folder, &[("BACKUP_KEEP_DAYS", "3")], &["backup", "--into", "backups"]);
    let kept = names(&folder.join("backups"));
    // Each of these is also the newest of its hour, of which 24 are kept.
    assert_eq!(kept.len(), 6, "{kept:?}");
    assert!(kept[5].ends_with("Z.tar.gz"), "{kept:?}");
    for hour in 0..24 {
        std::fs::write(folder.join(format!("backups/tolov-2026-02-01T{hour:02}0000Z.tar.gz")), "old")
            .unwrap();
    }
    done(folder, &[("BACKUP_KEEP_DAYS", "3")], &["backup", "--into", "backups"]);
    let kept = names(&folder.join("backups"));
    assert!(kept.contains(&"tolov-2026-01-05T033000Z.tar".to_owned()), "the third day: {kept:?}");
    assert!(!kept.contains(&"tolov-2026-01-04T033000Z.tar".to_owned()), "{kept:?}");
    let refused = run(folder, &[("BACKUP_KEEP_DAYS", "0")], &["backup", "--into", "backups"]);
    assert_eq!(refused.status.code(), Some(2), "{}", printed(&refused));
}

#[tokio::test]
async fn the_ledger_alone_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    done(folder, &[], &["seed"]);
    done(folder, &[], &["backup", "shop.tar.gz"]);
    let shop = std::fs::read(folder.join("tolov-data/shop.db")).unwrap();
    let told = done(folder, &[], &["restore", "shop.tar.gz", "--only", "ledger"]);
    assert!(told.contains("shop.db of the backup was left out"), "{told}");
    assert!(
        std::fs::read(folder.join("tolov-data/shop.db")).unwrap() == shop,
        "the shop store was not touched"
    );
    assert!(names(folder).iter().any(|name| name.starts_with("payments.db.replaced-")));
}

#[tokio::test]
async fn a_restore_waits_for_events_that_are_to_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    done(folder, &[], &["seed"]);
    done(folder, &[], &["backup", "shop.tar.gz"]);
    let verdict = Verdict::Retry { reason: "the store is away".to_owned() };
    received_message(&folder.join("tolov-data"), verdict).await;
    let restore = ["restore", "shop.tar.gz", "--only", "ledger"];
    let refused = run(folder, &[], &restore);
    let told = printed(&refused);
    assert!(!refused.status.success() && told.contains("1 events of payments wait"), "{told}");
    assert!(!names(folder).iter().any(|name| name.contains("replaced")), "nothing was touched");
    done(folder, &[], &[&restore[..], &["--despite-unread-events"]].concat());
}

#[tokio::test]
async fn a_restored_ledger_learns_of_an_old_order_that_was_paid_since_and_of_what_went_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    done(folder, &[], &["seed"]);
    done(folder, &[], &["backup", "shop.tar.gz"]);
    let now = SystemClock.now();
    let refund = OrderRefund {
        refund_id: RefundId::try_new(1_795_900_000).ok(),
        amount: Tiyin::from_soum(15_000).unwrap(),
        by_hand: true,
        returned: vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 1 }],
        is_restocked: true,
        is_told: false,
        at: now,
    };
    let order = ShopOrder { refunds: vec![refund], ..paid_order(1005, now) };
    let of_an_old_release = ShopOrder { terms: None, ..paid_order(1006, now) };
    let link = PaymentLink { url: "http://127.0.0.1/services/pay".to_owned(), pay_until: None };
    let waiting = ShopOrder {
        id: OrderId::try_new(1007).unwrap(),
        placed_at: now,
        state: OrderState::AwaitingPayment { link: Some(link), cancel_requested_by: None },
        ..order.clone()
    };
    let shop = EmbeddedShop::open(&folder.join("tolov-data")).await.unwrap();
    for order in [&order, &of_an_old_release, &waiting] {
        records::insert(&shop, order).await.unwrap();
    }
    shop.close().await.unwrap();
    let receipts = [("CLICK_RECEIPTS", "on"), ("RECEIPT_MXIK", "00902001001000000")];
    let told = done(folder, &receipts, &["restore", "shop.tar.gz", "--only", "ledger"]);
    assert!(told.contains("1 orders that wait for payment are registered again"), "{told}");
    let line = |order: &str| told.lines().find(|line| line.contains(order)).unwrap();
    assert!(line("order 1005").contains("known by the shop"), "{told}");
    assert!(
        !line("order 1005").contains("nobody knows") && line("order 1006").contains("nobody knows"),
        "{told}"
    );
    assert!(told.contains("taken back as refunded: 15\u{a0}000 so'm of order 1005"), "{told}");
    let (ledger, writer) =
        Ledger::open(&folder.join("payments.db"), UnverifiedLimits::default()).await.unwrap();
    let [refund] = &ledger.refunds(order.id).await.unwrap()[..] else { panic!("one refund") };
    assert_eq!(
        (Some(refund.refund_id), refund.status(), refund.returned.len()),
        (order.refunds[0].refund_id, RefundStatus::DoneByHand, 1)
    );
    let receipt = ledger.receipt(order.id).await.unwrap().unwrap();
    let [line] = receipt.content.lines.as_slice() else { panic!("{receipt:?}") };
    assert_eq!(
        (line.name.as_str(), line.price, line.fiscal.mxik.as_deref()),
        ("Choy dona", order.total, Some(receipts[1].1))
    );
    assert_eq!(receipt.state, ReceiptState::NEEDED);
    assert_eq!(ledger.receipt(of_an_old_release.id).await.unwrap().unwrap().content.lines, []);
    assert!(
        ledger.open_receipts(now).await.unwrap().receipts.is_empty(),
        "not in the hour after the restore"
    );
    let registered = ledger.order(waiting.id).await.unwrap().unwrap();
    assert_eq!((registered.status, registered.created_at), (OrderStatus::Pending, unix_ms(now)));
    drop(ledger);
    writer.close().await;
}

/// Orders that the shop store, and one that the bus, know to be paid at these times.
async fn restored_after(paid: &[Timestamp]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    done(folder, &[], &["seed"]);
    done(folder, &[], &["backup", "shop.tar.gz"]);
    let shop = EmbeddedShop::open(&folder.join("tolov-data")).await.unwrap();
    let bus = EmbeddedBus::open(&folder.join("tolov-data"), Arc::new(SystemClock), [1_000; 4]).await.unwrap();
    for (number, at) in (1..).zip(paid) {
        let order = paid_order(1000 + number, *at);
        records::insert(&shop, &order).await.unwrap();
        let kind = EventKind::PaymentCompleted {
            click_trans_id: ClickTransId::try_new(600 + number).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(600 + number).unwrap(),
            merchant_prepare_id: PrepareId::try_new(number).unwrap(),
            late: false,
        };
        let order_id = OrderId::try_new(1100 + number).unwrap();
        let event = Event {
            id: Event::id_of(order_id, &kind),
            order_id,
            user_id: order.user_id,
            products: order.products(),
            amount: order.total,
            occurred_at: *at,
            kind,
        };
        let message = OutgoingMessage {
            id: event.id.clone(),
            route: Route::Payments(RoutingKey::try_new("payment.completed").unwrap()),
            schema: "payment.completed/1".to_owned(),
            body: event.to_json(),
            traceparent: None,
        };
        assert_eq!(bus.publisher().publish(&[message]).await.unwrap(), [Published::Confirmed]);
    }
    shop.close().await.unwrap();
    bus.close().await.unwrap();
    drop(bus);
    done(folder, &[], &["restore", "shop.tar.gz", "--only", "ledger"])
}

/// The clock of the backup, of the payments and of the restore are each other's matter: a payment may look older than a backup
/// that was made before it (a clock that was ahead then), and be of a time that has not come yet (one that is behind now).
#[tokio::test]
async fn a_restore_forgets_no_payment_because_a_clock_was_ahead_or_is_behind() {
    let now = SystemClock.now();
    let told = restored_after(&[now - time::Duration::days(90), now + time::Duration::days(2)]).await;
    for order_id in [1001, 1002] {
        assert!(told.contains(&format!("paid: order {order_id},")), "of the shop, {order_id}: {told}");
    }
    for order_id in [1101, 1102] {
        assert!(told.contains(&format!("paid: order {order_id},")), "of the bus, {order_id}: {told}");
    }
}

async fn received_message(folder: &Path, verdict: Verdict) {
    // Long enough to stay for another try.
    let bus = EmbeddedBus::open(folder, Arc::new(SystemClock), [600_000; 4]).await.unwrap();
    let message = OutgoingMessage {
        id: EventId::new("payment.completed:1001"),
        route: Route::Payments(RoutingKey::try_new("payment.completed").unwrap()),
        schema: "payment.completed/9".to_owned(),
        body: b"of a newer release".to_vec(),
        traceparent: None,
    };
    bus.publisher().publish(&[message]).await.unwrap();
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let delivery = consumer.receive(1).await.unwrap().pop().unwrap();
    assert_eq!(consumer.settle(vec![(delivery, verdict)]).await.unwrap(), 1);
    bus.close().await.unwrap();
}

#[tokio::test]
async fn a_parked_message_is_deleted_only_after_a_question_and_the_journal_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("tolov-data")).unwrap();
    let verdict = Verdict::Park { reason: "unknown schema".to_owned() };
    received_message(&folder.join("tolov-data"), verdict).await;
    let message = ["projector.payments", "payment.completed:1001"];
    let deletion = ["parked", "drop", message[0], message[1]];
    let refused = run(folder, &[], &deletion);
    assert!(!refused.status.success() && printed(&refused).contains("--yes"), "{}", printed(&refused));
    let listed = done(folder, &[], &["parked", "list"]);
    assert!(listed.contains("1 parked") && listed.contains("unknown schema"), "{listed}");

    done(folder, &[], &[&deletion[..], &["--yes"]].concat());
    assert!(
        done(folder, &[], &["parked", "list"]).contains("projector.payments: 0 ready, 0 retrying, 0 parked")
    );
    let journal = std::fs::read_to_string(folder.join("operators.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!(entry["command"], "parked drop");
    assert_eq!(entry["details"]["id"], message[1]);
    assert_eq!(entry["details"]["body"], "of a newer release");
    let gone = run(folder, &[], &[&deletion[..], &["--yes"]].concat());
    assert!(!gone.status.success() && printed(&gone).contains("is not parked"), "{}", printed(&gone));
}

/// What has no line in the operators' journal: roles and trials, what only reads, and what only writes files of its own.
const WITHOUT_A_LINE: [&str; 19] = [
    "all",
    "backup",
    "bot",
    "catalogue export",
    "click-test",
    "completions",
    "demo",
    "doctor",
    "healthcheck",
    "init",
    "man",
    "parked list",
    "parked show",
    "projector",
    "reconciler",
    "sandbox",
    "trace",
    "verify",
    "webhook",
];
/// They need services that run, or the old shop: their own tests look for the line (`conversation/refunds.rs`, `receipts.rs`,
/// `statement.rs`, `legacy.rs`, `postgres.rs`).
const WITH_SERVICES: [&str; 6] =
    ["import-legacy", "ledger copy", "ledger restored", "receipts", "reconcile", "refund"];

/// Every command that the program offers, those of a group with its name.
fn all_commands(folder: &Path) -> BTreeSet<String> {
    let listed = |command: &[&str]| -> Vec<String> {
        let help = done(folder, &[], &[command, &["--help"]].concat());
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = list.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
        names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for name in listed(&[]).into_iter().filter(|name| name != "help") {
        let parts = listed(&[&name]);
        if parts.is_empty() {
            all.insert(name);
        } else {
            all.extend(parts.iter().filter(|part| *part != "help").map(|part| format!("{name} {part}")));
        }
    }
    all
}

#[tokio::test]
async fn every_command_that_changes_something_leaves_a_line_in_the_operators_journal() {
    let books = Books::open().await;
    let folder = books.folder();
    books.bought(1).await;
    let message = ["projector.payments", "payment.completed:1001"];
    let verdict = || Verdict::Park { reason: "unknown schema".to_owned() };
    let seeded = tempfile::tempdir().unwrap();
    std::fs::write(seeded.path().join("prices.csv"), "product_id,price\n1,19000\n").unwrap();
    let mut changing = Vec::new();
    let mut changes = |folder: &Path, name: &str, command: &[&str]| {
        run(folder, &[], command);
        let journal = std::fs::read_to_string(folder.join("operators.jsonl")).unwrap_or_default();
        let last: Value = serde_json::from_str(journal.lines().last().unwrap_or("{}")).unwrap();
        assert!(
            last["command"].as_str().is_some_and(|line| line.starts_with(name)),
            "{command:?}: {journal}"
        );
        changing.push(name.to_owned());
    };
    changes(seeded.path(), "seed", &["seed"]);
    changes(seeded.path(), "catalogue import", &["catalogue", "import", "prices.csv"]);
    received_message(&books.data(), verdict()).await;
    changes(folder, "parked drop", &["parked", "drop", message[0], message[1], "--yes"]);
    received_message(&books.data(), verdict()).await;
    changes(folder, "parked requeue", &["parked", "requeue", message[0], message[1]]);
    changes(folder, "replay", &["replay", "--order", "1"]);
    books.change(1, |order| order.user_id = shopper(2)).await;
    changes(folder, "rebuild", &["rebuild", "1"]);
    books.change(1, |order| order.user_id = shopper(2)).await;
    changes(folder, "audit", &["audit", "--repair", "--settle-for", "0"]);
    done(folder, &[], &["backup", "shop.tar.gz"]);
    changes(folder, "restore", &["restore", "shop.tar.gz", "--only", "ledger"]);

    let named = [&WITHOUT_A_LINE[..], &WITH_SERVICES[..]].concat().into_iter().map(str::to_owned);
    let named: BTreeSet<String> = named.chain(changing).collect();
    assert_eq!(
        all_commands(folder),
        named,
        "a new command changes something, or is named here with those that do not"
    );
}

#[tokio::test]
async fn a_command_whose_reader_has_gone_does_its_work_and_ends_as_sigpipe_would_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    empty_ledger(folder).await;
    std::fs::create_dir(folder.join("tolov-data")).unwrap();
    received_message(&folder.join("tolov-data"), Verdict::Done).await;
    for command in [
        &["seed"][..],
        &["catalogue", "export"],
        &["backup", "shop.tar.gz"],
        &["verify", "shop.tar.gz"],
        &["parked", "list"],
        &["trace", "5"],
        &["trace", "5", "--json"],
        &["audit"],
        &["completions", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut closed = tolov(command[0], folder, &BTreeMap::new());
        let ended = closed.args(&command[1..]).stdout(writer).output().unwrap();
        assert_eq!(ended.status.code(), Some(141), "{command:?}: {}", printed(&ended));
        assert_eq!(printed(&ended), "", "{command:?}");
    }
    assert!(folder.join("shop.tar.gz").exists(), "the work was done");
    let read = done(folder, &[], &["catalogue", "export"]);
    assert!(read.lines().count() > 3, "{read}");

    // What cannot be written for another reason is a failure that says so.
    let mut full = tolov("completions", folder, &BTreeMap::new());
    let full = full.arg("bash").stdout(std::fs::File::create("/dev/full").unwrap()).output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(printed(&full).contains("standard output cannot be written"), "{}", printed(&full));
}
