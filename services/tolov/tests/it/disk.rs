//! The disk fails under a running shop and comes back: the same process goes on.

use std::time::Duration;

use crate::{faults::Faults, one_server::OneServer, shop_world::eventually};

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_or_is_full_refuses_payments_and_the_same_process_takes_them_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults::of("all", folder.path());
    let preloaded = faults.environment();
    let preloaded = preloaded.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut server = OneServer::start(&preloaded).await;
    let failures = [("wal-sync", "EIO"), ("wal-write", "EIO"), ("wal-write", "ENOSPC")];
    for (order_id, (point, error)) in (1001..).zip(failures) {
        server.order(order_id).await;
        faults.fail_at(point, error);
        for _ in 0..3 {
            let tried = server.pay(order_id).await;
            assert!(!tried["status"].to_string().contains("paid"), "{error} at {point}: {tried}");
        }
        eventually("it is not ready", PATIENCE, async || {
            server.get(format!("{}/ready", server.status_url)).await["dependencies"]["ledger"] != "ok"
        })
        .await;
        faults.end();
        eventually("the order is paid", PATIENCE, || async {
            let payment = server.pay(order_id).await;
            payment["status"].to_string().contains("paid") || payment.to_string().contains("Already paid")
        })
        .await;
        server.until_told(order_id).await;
        server.until_ready().await;
    }
    assert!(server.all.is_running(), "{}", server.all.log_tail());
    let audit = server.run("audit", &["--settle-for", "5", "--told-within", "0m"]);
    let told = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && told.starts_with("no difference"), "{told}");
}
