//! `tolov ledger copy` that dies: whatever step it had come to, no two ledgers are open to services, none begins anew, and the
//! same command ends it.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use crate::{
    faults::Faults,
    postgres::Webhook,
    processes::{Role, tolov},
};

/// What the ledger on the server and in the file is called on the command line.
const FILE: &str = "LEDGER_PATH";
const SERVER: &str = "LEDGER_URL";

/// Leaves nothing of a ledger on the server.
const EMPTY: &str = "DO $$ DECLARE it record; BEGIN
    FOR it IN SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() LOOP
      EXECUTE format('DROP TABLE %I CASCADE', it.name);
    END LOOP;
    FOR it IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = current_schema()::regnamespace LOOP
      EXECUTE format('DROP FUNCTION %s CASCADE', it.name);
    END LOOP;
  END $$";

/// A shop with order 1001 paid, on a file and stopped.
async fn sold() -> Webhook {
    let shop = Webhook::new();
    let mut on_file = shop.start(&shop.environment).await;
    let attempt = shop.prepare(1001).await;
    assert_eq!(shop.callback(1001, Some(&attempt)).await["error"], 0);
    assert!(on_file.stop().success());
    shop
}

impl Webhook {
    fn put_away(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).ok();
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }

    /// Whether the copy died before its nth step with files.
    fn copy_dies(&self, from: &str, to: &str, step: u32) -> bool {
        let faults = Faults::of("copy", self.folder.path());
        faults.kill_at("file-step", step);
        let mut environment = self.on_postgres();
        environment.extend(faults.environment());
        let output =
            tolov("ledger", self.folder.path(), &environment).args(["copy", from, to]).output().unwrap();
        let has_died = faults.has_killed();
        faults.end();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), !has_died, "step {step}: {told}");
        has_died
    }

    /// Whether a service starts with these settings. One that does knows what was paid.
    async fn opens(&self, environment: &BTreeMap<String, String>) -> bool {
        let mut role = Role::start("webhook", self.folder.path(), environment);
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.http.get(self.url("/health")).send().await.is_err() {
            if !role.is_running() {
                return false;
            }
            assert!(Instant::now() < deadline, "{}", role.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.status_of(1001).await, "paid", "a ledger was begun anew");
        assert!(role.stop().success());
        true
    }

    /// Whether services start on the file, and on the server.
    async fn open(&self) -> [bool; 2] {
        [self.opens(&self.environment).await, self.opens(&self.on_postgres()).await]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_the_server_that_dies_at_any_step_leaves_one_ledger_at_most_and_is_repeated() {
    let shop = sold().await;
    let mut step = 1;
    while shop.copy_dies(FILE, SERVER, step) {
        assert_ne!(shop.open().await, [true; 2], "step {step}");
        let (done, told) = shop.copy(FILE, SERVER);
        assert!(done || told.contains("set LEDGER_URL"), "step {step}: {told}");
        assert_eq!(shop.open().await, [false, true], "step {step}: {told}");
        shop.server.sql(EMPTY);
        shop.put_away("payments.db.in-postgresql");
        step += 1;
    }
    assert!(step > 5, "{step}");
    assert_eq!(shop.open().await, [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_a_file_that_dies_at_any_step_leaves_one_ledger_at_most_and_is_repeated() {
    let shop = sold().await;
    let (done, told) = shop.copy(FILE, SERVER);
    assert!(done, "{told}");
    let mut step = 1;
    loop {
        shop.put_away("payments.db");
        shop.put_away("payments.db.in-postgresql");
        if step % 2 == 0 {
            // As a service writes it that has run on the server.
            fs::write(shop.folder.path().join("payments.db.in-postgresql"), "").unwrap();
        }
        shop.server.sql("UPDATE ledger_state SET moved_to = NULL");
        if !shop.copy_dies(SERVER, FILE, step) {
            break;
        }
        // Before its first note nothing of the copy is there, and the file may be that of a new shop.
        if shop.has("payments.db.in-postgresql") {
            assert_ne!(shop.open().await, [true; 2], "step {step}");
        }
        let (done, told) = shop.copy(SERVER, FILE);
        assert!(done || told.contains("a copy never replaces a ledger"), "step {step}: {told}");
        assert_eq!(shop.open().await, [true, false], "step {step}: {told}");
        step += 1;
    }
    assert!(step > 5, "{step}");
    assert_eq!(shop.open().await, [true, false]);
}
