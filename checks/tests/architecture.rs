//! Who may import whom, read from Cargo's own metadata. A new edge is a decision: add it here with its reason in
//! docs/decisions/.
#![expect(clippy::unwrap_used, reason = "a check that cannot read the repository has failed")]

mod imports;

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Our crates, and which of ours each may use (tests apart).
const EDGES: [(&str, &[&str]); 17] = [
    ("tolov-domain", &[]),
    ("tolov-kit", &[]),
    ("tolov-click", &["tolov-domain"]),
    ("tolov-contract", &["tolov-domain"]),
    ("tolov-shop", &["tolov-domain"]),
    ("tolov-rabbitmq", &["tolov-domain", "tolov-kit"]),
    ("tolov-mongodb", &["tolov-domain", "tolov-kit"]),
    ("tolov-embedded", &["tolov-domain", "tolov-kit"]),
    ("tolov-webhook", &["tolov-domain", "tolov-click", "tolov-kit"]),
    ("tolov-projector", &["tolov-domain", "tolov-kit", "tolov-shop"]),
    ("tolov-bot", &["tolov-domain", "tolov-kit", "tolov-shop"]),
    ("tolov-reconciler", &["tolov-domain", "tolov-click", "tolov-kit"]),
    ("tolov-sandbox", &["tolov-domain", "tolov-click", "tolov-kit"]),
    ("tolov-click-test", &["tolov-domain", "tolov-click", "tolov-kit"]),
    (
        "tolov",
        &[
            "tolov-bot",
            "tolov-click",
            "tolov-click-test",
            "tolov-domain",
            "tolov-embedded",
            "tolov-kit",
            "tolov-mongodb",
            "tolov-projector",
            "tolov-rabbitmq",
            "tolov-reconciler",
            "tolov-sandbox",
            "tolov-shop",
            "tolov-webhook",
        ],
    ),
    (
        "tolov-checks",
        &[
            "tolov-bot",
            "tolov-click",
            "tolov-contract",
            "tolov-domain",
            "tolov-embedded",
            "tolov-kit",
            "tolov-mongodb",
            "tolov-projector",
            "tolov-rabbitmq",
            "tolov-shop",
            "tolov-webhook",
        ],
    ),
    (
        "tolov-simulation",
        &[
            "tolov-bot",
            "tolov-click",
            "tolov-contract",
            "tolov-domain",
            "tolov-kit",
            "tolov-projector",
            "tolov-reconciler",
            "tolov-shop",
            "tolov-webhook",
        ],
    ),
];

/// Crates that only one of ours may name.
const OWNERS: [(&str, &[&str]); 9] = [
    // The bench of the bus compares it with lapin by itself.
    ("lapin", &["tolov-rabbitmq", "tolov-checks"]),
    ("mongodb", &["tolov-mongodb"]),
    ("sqlx", &["tolov-embedded", "tolov-webhook"]),
    ("teloxide", &["tolov-bot"]),
    ("backoff", &["tolov-kit"]),
    ("md-5", &["tolov-click"]),
    ("metrics-exporter-prometheus", &["tolov-kit"]),
    ("opentelemetry_sdk", &["tolov-kit"]),
    ("sha1", &["tolov-click"]),
];

/// What the domain may use: nothing that reads a clock, opens a socket or draws a random number.
const DOMAIN_USES: [&str; 5] = ["async-trait", "serde", "serde_json", "thiserror", "time"];

struct Package {
    name: String,
    dependencies: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}

#[test]
fn every_crate_uses_only_those_of_ours_that_it_may() {
    let packages = packages();
    assert_eq!(packages.len(), EDGES.len(), "a crate is missing from the table, or gone");
    for package in packages {
        let (_, allowed) = EDGES.iter().find(|(name, _)| *name == package.name).unwrap();
        let ours = package.dependencies.iter().filter(|name| name.starts_with("tolov"));
        for used in ours {
            assert!(allowed.contains(&used.as_str()), "{} may not use {used}", package.name);
        }
    }
}

#[test]
fn a_driver_is_named_by_its_adapter_alone() {
    for package in packages() {
        for (driver, owners) in OWNERS {
            let names_it = package.dependencies.contains(driver);
            assert!(!names_it || owners.contains(&package.name.as_str()), "{} names {driver}", package.name);
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let domain = packages().into_iter().find(|package| package.name == "tolov-domain").unwrap();
    for used in &domain.dependencies {
        assert!(DOMAIN_USES.contains(&used.as_str()), "the domain may not use {used}");
    }
}

/// Files that import each other can only be read together.
#[test]
fn no_circle_of_imports_has_more_than_three_files() {
    const CIRCLE_MAX: usize = 3;
    let circles = imports::circles();
    let circles: Vec<String> =
        circles.iter().filter(|circle| circle.len() > CIRCLE_MAX).map(ToString::to_string).collect();
    assert!(
        circles.is_empty(),
        "circles of imports; move what both sides need into a file of its own:\n{}",
        circles.join("\n")
    );
}
