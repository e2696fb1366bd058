//! `tolov seed` and `tolov catalogue` on embedded stores.

use std::{collections::BTreeMap, path::Path, process::Output};

use crate::processes::tolov;

/// Runs `tolov` with a command line, on the shop store in this folder.
fn run(folder: &Path, command: &[&str]) -> Output {
    tolov(command[0], folder, &BTreeMap::new()).args(&command[1..]).output().unwrap()
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn done(folder: &Path, command: &[&str], wanted: &str) {
    let output = run(folder, command);
    assert!(
        output.status.success() && printed(&output).contains(wanted),
        "{command:?}: {}",
        printed(&output)
    );
}

#[test]
fn the_example_catalogue_is_written_once_and_exported_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["seed"], "13 products in 4 new categories, and the promo code XUSH10");
    done(folder, &["seed"], "the example is there already; nothing was changed");
    done(folder, &["catalogue", "export", "shop.csv"], "shop.csv: 13 products");
    let table = std::fs::read(folder.join("shop.csv")).unwrap();
    assert_eq!(run(folder, &["catalogue", "export"]).stdout, table);
    assert!(String::from_utf8(table).unwrap().contains("1;Choy;\"Ko‘k choy 95, 100 g\";"));
    let again = run(folder, &["catalogue", "export", "shop.csv"]);
    assert!(!again.status.success() && printed(&again).contains("never replaces"), "{}", printed(&again));
    done(folder, &["catalogue", "import", "shop.csv"], "0 new products, 0 changed, 13 the same");
}

#[test]
fn only_a_trial_on_the_sandbox_gets_the_example_catalogue() {
    let folder = tempfile::tempdir().unwrap();
    let seed = |token: &str, key: &str| {
        let environment =
            [("BOT_TOKEN", token), ("CLICK_SECRET_KEY", key), ("SANDBOX_URL", "http://127.0.0.1:9")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let output = tolov("seed", folder.path(), &environment).arg("--sandbox-only").output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        printed(&output)
    };
    let local_token = "1000000001:sandbox-only-bot-token";
    for (token, key) in [
        ("7000000001:AAErealrealrealrealrealrealrealreal", "sandbox-only-click-key"),
        (local_token, "aKeyOfClick"),
    ] {
        assert!(seed(token, key).contains("not needed"), "{token} {key}");
    }
    assert!(!folder.path().join("tolov-data").exists(), "the store of a real shop is not opened");
    assert!(seed(local_token, "sandbox-only-click-key").contains("13 products in 4 new categories"));
    assert!(seed(local_token, "sandbox-only-click-key").contains("nothing was changed"));
}

#[test]
fn a_table_with_a_byte_order_mark_and_crlf_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let table = "\u{feff}category;title;price\r\nIdish;Choynak;90000\r\nIdish;Piyola;12000\r\n";
    std::fs::write(folder.join("windows.csv"), table).unwrap();
    done(
        folder,
        &["catalogue", "import", "windows.csv"],
        "done: 2 products created, 0 changed, 1 categories created",
    );
    let exported = String::from_utf8(run(folder, &["catalogue", "export"]).stdout).unwrap();
    assert!(exported.contains("Idish;Choynak;") && exported.contains("Idish;Piyola;"), "{exported}");
}

#[test]
fn while_a_restore_is_unfinished_no_command_opens_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["seed"], "13 products");
    std::fs::write(folder.join("tolov-data/tolov.restoring"), "").unwrap();
    for command in [&["seed"][..], &["catalogue", "export"], &["parked", "list"], &["backup", "shop.tar.gz"]]
    {
        let refused = run(folder, command);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", printed(&refused));
        assert!(
            printed(&refused).contains("run `tolov restore` again"),
            "{command:?}: {}",
            printed(&refused)
        );
    }
}

#[test]
fn an_import_reports_its_changes_and_a_file_with_a_mistake_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["seed"], "13 products");
    let write = |table: &str| std::fs::write(folder.join("prices.csv"), table).unwrap();
    write("product_id,category,title,price\n1,,,19000\n,Choy,Yasmin choyi,cheap\n");
    let before = run(folder, &["catalogue", "export"]).stdout;
    let refused = run(folder, &["catalogue", "import", "prices.csv"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        printed(&refused).contains("nothing was changed:\n  line 3, price: write so'm"),
        "{}",
        printed(&refused)
    );
    write("product_id,category,title,price\n1,,,19000\n,Choy,Yasmin choyi,24000\n");
    let dry = ["catalogue", "import", "prices.csv", "--dry-run"];
    done(folder, &dry, "price 18000 → 19000\n  new: Yasmin choyi\nnothing was changed");
    assert_eq!(run(folder, &["catalogue", "export"]).stdout, before);
    done(
        folder,
        &["catalogue", "import", "prices.csv"],
        "done: 1 products created, 1 changed, 0 categories created",
    );
    let after = String::from_utf8(run(folder, &["catalogue", "export"]).stdout).unwrap();
    assert!(after.contains(";19000;") && after.contains("Yasmin choyi"), "{after}");
    let journal = std::fs::read_to_string(folder.join("operators.jsonl")).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    assert_eq!(lines.len(), 2, "only what has changed something: {journal}");
    assert!(lines[0].contains("\"seed\""), "{journal}");
    assert!(lines[1].contains("\"catalogue import\"") && lines[1].contains("prices.csv"), "{journal}");
    done(folder, &["seed"], "a catalogue of its own");
    assert_eq!(std::fs::read_to_string(folder.join("operators.jsonl")).unwrap(), journal);
}
