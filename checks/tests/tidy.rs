//! The repository keeps its own rules: sizes, names, links, and variables that are both read and explained.
#![expect(clippy::unwrap_used, reason = "a check that cannot read the repository has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
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
fn no_file_is_named_after_nothing() {
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

/// SQLite compiles a statement anew each time the parameter of its LIMIT is bound, unless it stands in an expression
/// (computeLimitRegisters, sqlite3VdbeSetVarmask). That was a fifth of the time of a callback.
#[test]
fn no_limit_of_a_statement_makes_sqlite_compile_it_again() {
    for path in files(".rs").into_iter().filter(|path| !is_test(path)) {
        let source = read(&path);
        let is_bound =
            [concat!("LIMIT ", "?"), concat!("LIMIT ", "$")].iter().any(|limit| source.contains(limit));
        assert!(!is_bound, "{}: write LIMIT +$", path.display());
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

/// The documents that a comment or a message names: words that end with `.md`, from the last `../` on. Of one that is
/// installed elsewhere (`/opt/…`) the name.
fn documents_named_in(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || "._/-".contains(character)))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.strip_suffix(".md").is_some_and(|stem| !stem.is_empty()))
        .filter_map(
            |word| if word.starts_with('/') { word.rsplit('/').next() } else { word.rsplit("../").next() },
        )
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_document_that_is_named_is_in_the_repository() {
    let documents = files(".md");
    let endings =
        [".md", ".rs", ".sql", ".toml", ".yml", ".yaml", ".sh", ".service", "Dockerfile", "Caddyfile"];
    let code =
        endings.into_iter().flat_map(files).chain(files("").into_iter().filter(|path| is_script(path)));
    let mut missing = Vec::new();
    for path in code {
        for named in documents_named_in(&read(&path)) {
            if !documents.iter().any(|document| document.ends_with(&named)) {
                missing.push(format!("{} cites {named}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "documents that are not in the repository:\n{}", missing.join("\n"));
}

/// `stock.rs`, or a path's end: a reader looks for it under that name.
#[test]
fn every_source_file_that_a_document_names_exists() {
    let sources = files(".rs");
    let is_path = |letter: char| letter.is_ascii_alphanumeric() || "._/-".contains(letter);
    let mut named = 0;
    for path in files(".md") {
        let text = read(&path);
        for name in text
            .split('`')
            .filter(|name| name.strip_suffix(".rs").is_some_and(|stem| stem.chars().all(is_path)))
        {
            named += 1;
            assert!(
                sources.iter().any(|source| source.ends_with(name)),
                "{}: there is no {name}",
                path.display()
            );
        }
    }
    assert!(named > 20, "the names are read: {named}");
}

/// A metric that no page explains is found by nobody.
#[test]
fn every_metric_is_explained() {
    let explained = read(&root().join("docs/metrics.md"));
    let mut counted = 0;
    for path in files(".rs").into_iter().filter(|path| !is_test(path)) {
        let code: String = read(&path).split_whitespace().collect();
        for kind in ["counter", "gauge", "histogram"] {
            let call = format!("{kind}!(\"tolov_");
            for name in code.split(&call).skip(1).filter_map(|rest| rest.split('"').next()) {
                counted += 1;
                assert!(explained.contains(&format!("`tolov_{name}`")), "docs/metrics.md lacks tolov_{name}");
            }
        }
    }
    assert!(counted > 40, "the names are read: {counted}");
}

/// Shell scripts without an ending.
fn is_script(path: &Path) -> bool {
    path.starts_with(root().join("scripts")) && path.extension().is_none()
}

/// A newcomer takes in a folder of about ten entries at a glance.
#[test]
fn folders_of_code_have_few_entries() {
    const ENTRIES_MAX: usize = 16;
    let mut folders: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in files(".rs").into_iter().filter(|path| !is_test(path)) {
        let mut entry = path;
        while let Some(folder) = entry.parent().filter(|folder| *folder != root()).map(Path::to_owned) {
            folders.entry(folder.clone()).or_default().insert(entry);
            entry = folder;
        }
    }
    folders.retain(|_, entries| entries.len() > ENTRIES_MAX);
    let crowded: Vec<String> =
        folders.iter().map(|(folder, entries)| format!("{}: {}", folder.display(), entries.len())).collect();
    assert!(crowded.is_empty(), "folders with more than {ENTRIES_MAX} entries:\n{}", crowded.join("\n"));
}

/// At 3 a.m. the alert's name leads to what to do.
#[test]
fn every_alert_is_explained_to_the_operator() {
    let rules = read(&root().join("deploy/prometheus/alerts.yml"));
    let manual = read(&root().join("docs/operations.md"));
    let alerts: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let explained: BTreeSet<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" (")?.0.into())
        .filter(|name| name.starts_with("Tolov") || name.starts_with("RabbitMQ"))
        .collect();
    assert!(!alerts.is_empty());
    assert_eq!(alerts, explained, "alerts.yml and the table in docs/operations.md differ");
}

/// `scripts/test -p CRATE` fetches only what that crate's tests need.
#[test]
fn the_test_script_knows_the_needs_of_every_crate() {
    let script = read(&root().join("scripts/test"));
    let table = script.split("needs_of() {").nth(1).and_then(|rest| rest.split("esac").next()).unwrap();
    let listed: BTreeSet<&str> = table
        .split(|character: char| !(character.is_alphanumeric() || character == '-'))
        .filter(|word| word.starts_with("tolov"))
        .collect();
    let manifests: Vec<String> = files("Cargo.toml").iter().map(|path| read(path)).collect();
    let crates: BTreeSet<&str> = manifests
        .iter()
        .filter_map(|text| text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')))
        .filter(|name| name.starts_with("tolov"))
        .collect();
    assert_eq!(listed, crates, "the crates of needs_of() in scripts/test, and those of the workspace");
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
    // `${NAME}` in its first comment stands for the form; a shell has the other two.
    let is_setting = |name: &String| !["NAME", "USER", "SUDO_USER"].contains(&name.as_str());
    let compose = read(&root().join("docker-compose.yml"));
    let names = compose.split("${").skip(1).filter_map(|rest| rest.split_once(":-"));
    let read_by_compose = names.map(|(name, _)| name.to_owned()).filter(is_setting);
    let read_by_any: BTreeSet<String> = read_by_code.into_iter().chain(read_by_compose).collect();
    assert_eq!(
        explained, read_by_any,
        "left: .env.example, right: what the code and docker-compose.yml read"
    );
}

/// A file that was moved would be left out of the mutants without a word.
#[test]
fn every_file_that_the_mutants_change_exists() {
    let script = read(&root().join("scripts/mutants"));
    let list = script.split("files=(").nth(2).and_then(|rest| rest.split(')').next()).unwrap();
    let paths: Vec<&str> = list.split_whitespace().map(|path| path.trim_matches('\'')).collect();
    assert!(paths.len() > 5, "{paths:?}");
    let known = files(".rs");
    for path in paths {
        let (folder, name) = path.rsplit_once('/').unwrap();
        let is_meant = |file: &PathBuf| {
            file.parent() == Some(&root().join(folder))
                && (name == "*.rs" || file.file_name().is_some_and(|own| own == name))
        };
        assert!(known.iter().any(is_meant), "{path} of scripts/mutants does not exist");
    }
}

/// The proof names its tests; one that was renamed, or whose name was cut off, proves nothing.
#[test]
fn every_test_that_the_proof_names_exists() {
    let mut functions = BTreeSet::new();
    for path in files(".rs") {
        let code = read(&path);
        let names = code.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
        functions.extend(names.map(|name| name.trim().to_owned()));
    }
    let proof = read(&root().join("docs/proof.md"));
    let mut named = 0;
    for name in proof.split('`').skip(1).step_by(2) {
        let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let (start, is_cut) = name.strip_suffix('*').map_or((name, false), |start| (start, true));
        if start.matches('_').count() < 3 && !is_cut || !start.chars().all(is_word) {
            continue;
        }
        named += 1;
        let exists = functions
            .iter()
            .any(|function| if is_cut { function.starts_with(start) } else { function == start });
        assert!(exists, "docs/proof.md names {name}, and there is no such test");
    }
    assert!(named > 60, "the names are read: {named}");
}
