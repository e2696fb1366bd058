//! Every service dies at each named step of a payment, on a real broker and a real store; then the books must agree.

use std::{sync::Arc, time::Duration};

use tolov_domain::UserId;

use crate::{
    books::Books,
    faults::Faults,
    processes::tolov,
    shop_world::{Purchase, ShopWorld, eventually},
};

/// Which process dies, at which point, and at which of the times that it is there for one purchase.
const CRASHES: [(&str, &str, u32); 32] = [
    // The ledger: Prepare, then Complete.
    ("webhook", "wal-write", 1),
    ("webhook", "wal-sync", 1),
    ("webhook", "wal-synced", 1),
    ("webhook", "answer", 1),
    ("webhook", "wal-sync", 2),
    ("webhook", "wal-synced", 2),
    ("webhook", "answer", 2),
    // The relay.
    ("webhook", "publish", 1),
    ("webhook", "published", 1),
    ("webhook", "confirm", 1),
    ("webhook", "wal-synced", 3),
    // The projector: order, stock, cart and customer, then the notifications, then the acknowledgement.
    ("projector", "delivery", 1),
    ("projector", "store-write", 1),
    ("projector", "store-written", 1),
    ("projector", "store-write", 2),
    ("projector", "store-written", 2),
    ("projector", "store-write", 3),
    ("projector", "store-written", 3),
    ("projector", "publish", 1),
    ("projector", "published", 1),
    ("projector", "confirm", 1),
    ("projector", "ack", 1),
    ("projector", "acked", 1),
    // The bot: claim, send, record, acknowledge.
    ("bot", "delivery", 1),
    ("bot", "store-write", 1),
    ("bot", "store-written", 1),
    ("bot", "telegram-send", 1),
    ("bot", "telegram-sent", 1),
    ("bot", "store-write", 2),
    ("bot", "store-written", 2),
    ("bot", "ack", 1),
    ("bot", "acked", 1),
];

/// One purchase, in the middle of which a process dies and is started again.
async fn bought_over_a_crash(
    world: &Arc<ShopWorld>,
    number: i64,
    crash: (&'static str, &str, u32),
) -> Purchase {
    let (role, point, nth) = crash;
    let purchase = world.check_out(UserId::try_new(5_000_000 + number).unwrap()).await;
    let faults = Faults::of(role, world.folder());
    faults.kill_at(point, nth);
    let paying = tokio::spawn({
        let world = Arc::clone(world);
        async move { world.pay(purchase).await }
    });
    eventually(&format!("{role} dies at {point} {nth}"), Duration::from_mins(1), async || {
        faults.has_killed()
    })
    .await;
    world.roles[role].lock().unwrap().spawn_after_death();
    paying.await.unwrap();
    purchase
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_may_die_at_every_step_of_a_payment() {
    let world = Arc::new(ShopWorld::start_with_faults().await);
    let mut purchases = Vec::new();
    for (number, crash) in (1..).zip(CRASHES) {
        purchases.push(bought_over_a_crash(&world, number, crash).await);
    }
    world.settle(&purchases).await;
}

/// Runs a command that dies at the nth step of its work with files. `true`: it died.
fn dies(books: &Books, command: &str, arguments: &[&str], step: u32) -> bool {
    let faults = Faults::of("command", books.folder());
    faults.kill_at("file-step", step);
    let environment = faults.environment().into();
    let output = tolov(command, books.folder(), &environment).args(arguments).output().unwrap();
    let has_died = faults.has_killed();
    faults.end();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), !has_died, "{command} at step {step}: {told}");
    has_died
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_dies_at_any_step_leaves_the_shop_as_it_was_and_no_half_backup() {
    let books = Books::open().await;
    books.bought(1001).await;
    let mut steps = 1;
    while dies(&books, "backup", &["shop.tar.gz"], steps) {
        if books.folder().join("shop.tar.gz").exists() {
            let verified = books.run("verify", &["shop.tar.gz"]);
            assert!(verified.status.success(), "step {steps}: {verified:?}");
            std::fs::remove_file(books.folder().join("shop.tar.gz")).unwrap();
        }
        steps += 1;
    }
    println!("{steps} steps");
    assert!(steps > 3, "{steps}");
    books.has_no_difference();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_dies_at_any_step_is_repeated_and_the_books_agree() {
    let mut books = Books::open().await;
    books.bought(1001).await;
    assert!(books.run("backup", &["shop.tar.gz"]).status.success());
    books.bought(1002).await;
    let mut steps = 1;
    while dies(&books, "restore", &["shop.tar.gz"], steps) {
        let repeated = books.run("restore", &["shop.tar.gz"]);
        assert!(repeated.status.success(), "step {steps}: {repeated:?}");
        goes_on(&mut books).await;
        steps += 1;
    }
    println!("{steps} steps");
    assert!(steps > 10, "{steps}");
    // From here on the shop store is as old as the backup: what was paid since is known to the ledger alone that is replaced.
    let mut steps = 1;
    while dies(&books, "restore", &["shop.tar.gz"], steps) {
        let repeated = books.run("restore", &["shop.tar.gz"]);
        assert!(repeated.status.success(), "step {steps}: {repeated:?}");
        assert!(books.is_paid(1002).await, "step {steps}: {repeated:?}");
        steps += 1;
    }
    goes_on(&mut books).await;
}

/// The services start: the shop, which is as of the backup, hears of the payment that the restore took back.
async fn goes_on(books: &mut Books) {
    books.reopen().await;
    books.relayed().await;
    books.projected(1002).await;
    books.told(1002).await;
    books.has_no_difference();
}
