//! Taste, held by a test: sizes, names, links, and that nothing is promised in .env.example that no code reads.
#![expect(clippy::unwrap_used, reason = "a check that cannot read the repository has failed")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that git knows or would know, with this ending.
fn files(ending: &str) -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let listing = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> = listing
        .lines()
        .filter(|path| path.ends_with(ending))
        .map(|path| root().join(path))
        .filter(|path| path.exists())
        .collect();
    assert!(!files.is_empty(), "no {ending} files: is this a git checkout?");
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn is_test(path: &Path) -> bool {
    let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    path.contains("/tests/") || path.ends_with("_tests.rs") || path.starts_with("shared/contract/")
}

#[test]
fn files_keep_to_a_readable_size() {
    for path in files(".rs") {
        let lines = read(&path).lines().count();
        let most = match path.file_name().and_then(|name| name.to_str()) {
            Some("main.rs") if !is_test(&path) => 60,
            _ if is_test(&path) => 600,
            _ => 450,
        };
        assert!(lines <= most, "{} has {lines} lines, more than {most}", path.display());
    }
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    for path in files(".rs") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["utils", "util", "helpers", "helper", "common", "misc"].contains(&stem),
            "{}",
            path.display()
        );
    }
}

#[test]
fn no_test_is_ignored() {
    for path in files(".rs") {
        let ignored = read(&path).lines().any(|line| line.trim_start().starts_with(concat!("#[", "ignore")));
        assert!(!ignored, "{} has an ignored test: it proves nothing", path.display());
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for path in files(".md") {
        let text = read(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let resolved = path.parent().unwrap().join(file);
            assert!(resolved.exists(), "{}: {target} leads nowhere", path.display());
        }
    }
}

#[test]
fn every_variable_is_explained_in_the_example_and_read_by_the_code_or_by_compose() {
    let example = read(&root().join(".env.example"));
    let explained: BTreeSet<String> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.to_owned())
        .collect();
    let calls = [
        "text",
        "required",
        "secret",
        "parsed",
        "parsed::<Url>",
        "parsed::<LogFormat>",
        "required_parsed",
        "required_parsed::<Url>",
        "flag",
        "duration",
    ];
    let mut read_by_code = BTreeSet::new();
    for path in files(".rs").into_iter().filter(|path| !is_test(path) && !path.ends_with("kit/src/env.rs")) {
        let code: String = read(&path).split_whitespace().collect();
        let starts = calls.iter().map(|call| format!("env.{call}(\"")).chain(["(env,\"".to_owned()]);
        for start in starts {
            let names = code.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
            read_by_code.extend(names.map(str::to_owned));
        }
    }
    // `${NAME}` in its first comment stands for the form.
    let compose = read(&root().join("docker-compose.yml"));
    let names = compose.split("${").skip(1).filter_map(|rest| rest.split_once(":-"));
    let read_by_compose = names.map(|(name, _)| name.to_owned()).filter(|name| name != "NAME");
    let read_by_any: BTreeSet<String> = read_by_code.into_iter().chain(read_by_compose).collect();
    assert_eq!(
        explained, read_by_any,
        "left: .env.example, right: what the code and docker-compose.yml read"
    );
}
