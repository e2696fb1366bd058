//! `tolov import-legacy`: a shop of the Python system, with the faults that its data has, goes on here.
//!
//! payments.sqlite was made by PayTechUZ itself (tests/legacy/make_payments.py): orders 1 and 2 are paid, which the bot's
//! database never heard; 3 is pending, 4 is being paid, 5 was cancelled; 6 and 8 are called paid without a payment. 7 is in the
//! bot's database alone, which tests/legacy/make_shop.py makes.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::Value;
use tolov_domain::{OrderId, ProductId, Tiyin, UserId};
use tolov_shop::{
    catalogue,
    order::{self, Stage},
    shopper,
};

use crate::{
    one_server::OneServer,
    processes::repository,
    shop_world::{STAFF_CHANNEL, eventually, own_database},
};

/// The old bot's database. Returns its URL.
fn old_shop() -> String {
    let url = own_database();
    python(&[repository().join("services/tolov/tests/legacy/make_shop.py").to_str().unwrap(), &url]);
    url
}

/// With pymongo, which MongoDB's stand-in brings.
fn python(arguments: &[&str]) {
    let venv = std::env::var_os("SECANTUS_VENV").map(PathBuf::from);
    let venv = venv.unwrap_or_else(|| repository().join("target/secantus"));
    let done = Command::new(venv.join("bin/python3")).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What the old payment server did when CLICK's Complete of order 4 came.
const PAYS_ORDER_4: &str = "
import sqlite3, sys, datetime
db = sqlite3.connect(sys.argv[1])
now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M:%S.%f')
db.execute('UPDATE payments SET state = 2, performed_at = ?, updated_at = ? WHERE account_id = 4', (now, now))
db.execute(\"UPDATE orders SET status = 'paid' WHERE order_id = 4\")
db.commit()
";

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_of_the_old_system_goes_on_and_its_links_can_be_paid() {
    let old = old_shop();
    let mut server = OneServer::start(&[]).await;
    assert!(server.all.stop().success());
    shop_is_imported(&server, &old);
    server.all.spawn();
    server.until_ready().await;
    let ledger = |order_id: i64| server.http.get(format!("{}/orders/{order_id}", server.webhook_url));
    for (order_id, status) in [
        (1, "paid"),
        (2, "paid"),
        (3, "pending"),
        (4, "paid"),
        (5, "expired"),
        (7, "expired"),
        (8, "expired"),
    ] {
        let order: Value = ledger(order_id)
            .bearer_auth(crate::one_server::SECRETS[1].1)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(order["status"], status, "order {order_id}: {order}");
    }
    // The old bot's link of order 3: the same number, and CLICK's callbacks come here.
    server.pay(3).await;
    everybody_is_told(&server).await;
    assert!(server.all.stop().success());
    shop_is_carried_over(&server).await;
    let audit = server.run("audit", &["--settle-for", "0"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

/// Dry, then three times, while an order is paid in between.
fn shop_is_imported(server: &OneServer, old: &str) {
    let payments = server.file("old-payments.db");
    std::fs::copy(repository().join("services/tolov/tests/legacy/payments.sqlite"), &payments).unwrap();
    let payments = payments.to_str().unwrap();
    let payable = ["--payable-hours", "48"];
    let import = |more: &[&str]| {
        let arguments = [&["--mongo", old, "--payments", payments][..], more].concat();
        let output = server.run("import-legacy", &arguments);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    let (is_done, said) =
        import(&[&payable[..], &["--dry-run", "--report", "report.csv", "--other-bot"]].concat());
    assert!(is_done && said.contains("nothing was changed"), "{said}");
    for remark in [
        "7: 2 paid (45\u{a0}000 so'm), 2 can still be paid, 3 over",
        "order 1: it is paid, which the bot had not noticed",
        "order 2: the number is used twice: the one of user 5553 is left out",
        "order 6: only the payment server has it, and no payment",
        "order 8: it was called paid and no payment is known",
        "order 900000000000: its number is more than 10000000000 above the others",
        "order 1000000000000: it has no order number from 1 to 999999999999",
        "product 77: the price of \"Ko'k choy\", 15 000 so'm, is read as 15\u{a0}000",
        "product 77: its photo belongs to another bot",
        "product 78: \"Non\" has no readable price",
        "product 79: no category lists \"Asal\"",
        "category 311: the number is used twice: \"Nonlar\" becomes 312",
        "user 5551: the cart had products that are gone",
        "user 5552: has a balance of 5000",
    ] {
        assert!(said.contains(remark), "{remark:?} is missing in:\n{said}");
    }
    assert!(std::fs::read_to_string(server.file("report.csv")).unwrap().contains("left out"));

    let (is_done, said) = import(&payable);
    assert!(is_done && said.contains("6 categories and products, 3 people and 7 orders are new"), "{said}");
    python(&["-c", PAYS_ORDER_4, payments]);
    // Without --payable-hours nothing is new to be paid, and what can be paid already stays so.
    let (is_done, said) = import(&[]);
    assert!(
        is_done && said.contains("0 categories and products, 0 people and 0 orders are new; 1 were paid"),
        "{said}"
    );
    let (is_done, said) = import(&["--payable-hours", "600"]);
    assert!(
        is_done && said.contains("1 that --payable-hours names were brought over before as no longer"),
        "{said}"
    );
}

async fn everybody_is_told(server: &OneServer) {
    let messages = async |chat: i64| {
        let address = format!("{}/sandbox/telegram/chats/{chat}/messages", server.sandbox_url);
        server.get(address).await.as_array().cloned().unwrap_or_default()
    };
    let told = [(STAFF_CHANNEL, 2), (5551, 1), (5552, 1)];
    eventually("shoppers and staff are told", Duration::from_mins(1), || async {
        for (chat, count) in told {
            if messages(chat).await.len() < count {
                return false;
            }
        }
        true
    })
    .await;
    for (chat, count) in told {
        let said = messages(chat).await;
        assert_eq!(said.len(), count, "of order 3, and of 4, which was paid between two imports: {said:?}");
    }
}

async fn shop_is_carried_over(server: &OneServer) {
    let journal = std::fs::read_to_string(server.file("operators.jsonl")).unwrap();
    assert!(journal.contains("\"import-legacy\""), "{journal}");
    let shop = tolov_embedded::EmbeddedShop::open(&server.file("tolov-data")).await.unwrap();
    let user = |id| UserId::try_new(id).unwrap();
    let ali = shopper::shopper(&shop, user(5551)).await.unwrap().unwrap();
    assert_eq!(ali.phone.map(String::from).as_deref(), Some("+998901234567"));
    assert_eq!((ali.order_count, ali.cart.len()), (2, 1), "orders 1 and 3; tea is left of 3 pieces");
    let bek = shopper::shopper(&shop, user(5552)).await.unwrap().unwrap();
    assert_eq!((bek.referrer_id, bek.order_count), (Some(user(5551)), 2), "orders 2 and 4");
    let tea = catalogue::product(&shop, ProductId::try_new(77).unwrap()).await.unwrap().unwrap();
    assert_eq!((tea.price, tea.photo.as_deref()), (Tiyin::from_soum(15_000).unwrap(), Some("AgACAgIA")));
    for (number, stage) in [
        (1, Stage::Delivered),
        (3, Stage::Paid),
        (4, Stage::Paid),
        (5, Stage::Cancelled),
        (7, Stage::Expired),
    ] {
        let order = order::order(&shop, OrderId::try_new(number).unwrap()).await.unwrap().unwrap();
        assert_eq!(order.stage(), stage, "order {number}");
    }
    assert!(catalogue::next_article_id(&shop).await.unwrap().get() > 79, "numbers are not given again");
    shop.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_shops_are_not_mixed_unless_told_so() {
    let old = old_shop();
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str, arguments: &[&str]| {
        let output = crate::processes::tolov(command, folder.path(), &std::collections::BTreeMap::new())
            .args(arguments)
            .output()
            .unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    // Where the old server ran, its payments.db has the name that the ledger has by default.
    let payments = repository().join("services/tolov/tests/legacy/payments.sqlite");
    let (here, before) = (folder.path().join("payments.db"), std::fs::read(payments).unwrap());
    std::fs::write(&here, &before).unwrap();
    let (is_done, said) = run("import-legacy", &["--mongo", &old, "--payments", "payments.db", "--dry-run"]);
    assert!(!is_done && said.contains("LEDGER_PATH") && std::fs::read(&here).unwrap() == before, "{said}");
    std::fs::remove_file(here).unwrap();

    assert!(run("seed", &[]).0);
    let (is_done, said) = run("import-legacy", &["--mongo", &old]);
    assert!(!is_done && said.contains("--into-existing"), "{said}");
    let (is_done, said) = run("import-legacy", &["--mongo", &old, "--into-existing"]);
    assert!(is_done && said.contains("no order is carried over as paid"), "{said}");
}
