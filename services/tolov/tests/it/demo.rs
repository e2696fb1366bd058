use std::{collections::BTreeMap, time::Duration};

use crate::processes::{free_port, tolov};

#[test]
fn the_demo_completes_a_purchase_without_configuration_and_deletes_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let environment = BTreeMap::from([
        ("TMPDIR".to_owned(), temporary.path().to_str().unwrap().to_owned()),
        ("SANDBOX_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())),
    ]);
    let output = tolov("demo", folder.path(), &environment).arg("--once").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let logged = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{printed}\n{logged}");
    let steps = [
        "order 1001:",
        "Prepare answered",
        "Complete answered",
        "published",
        "order paid",
        "shopper told",
        "staff told",
    ];
    for step in steps {
        assert!(printed.contains(step), "{step} is missing in:\n{printed}");
    }
    let last = printed.lines().last().unwrap();
    let told = last
        .strip_prefix("order 1001 paid, shopper notified after ")
        .and_then(|rest| rest.strip_suffix(" ms"));
    let told =
        Duration::from_millis(told.unwrap_or_else(|| panic!("the last line is {last:?}")).parse().unwrap());
    assert!(told < Duration::from_secs(30));
    assert_eq!(logged, "", "a demo without problems logs no warning");
    for left in [folder.path(), temporary.path()] {
        assert_eq!(std::fs::read_dir(left).unwrap().count(), 0, "files were left in {}", left.display());
    }
}

#[test]
fn a_demo_whose_address_is_in_use_names_it_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let environment = BTreeMap::from([("SANDBOX_ADDR".to_owned(), address.clone())]);
    let output = tolov("demo", folder.path(), &environment).arg("--once").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&address));
}
