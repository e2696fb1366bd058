//! Which file imports which, read from `use` declarations and from paths in the code.
//!
//! An import leads to the file that defines the item: re-exports are followed, and a re-export alone is no import.
//! `mod` declarations are none either, but what a `mod.rs` uses of its children is, and what they use of it.

mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use self::source::Source;

/// A module's path from the root of its crate; empty for the root.
type ModulePath = Vec<String>;

/// The modules of one crate.
type Modules = BTreeMap<ModulePath, Source>;

/// Re-exports of re-exports are followed this far.
const REEXPORT_DEPTH_MAX: usize = 8;

/// Files that import each other, directly or by way of others. Each file comes with what it imports of the circle.
pub(crate) struct Circle(Vec<(String, Vec<String>)>);

impl Circle {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Display for Circle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{} files:", self.len())?;
        for (file, imports) in &self.0 {
            writeln!(formatter, "    {file}\n        imports {}", imports.join(", "))?;
        }
        Ok(())
    }
}

/// All circles of the repository, largest first.
pub(crate) fn circles() -> Vec<Circle> {
    let mut circles: Vec<Circle> = crates().values().flat_map(circles_of).collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// Libraries and test binaries, each with its modules.
fn crates() -> BTreeMap<String, Modules> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root)
        .output()
        .unwrap();
    let mut crates: BTreeMap<String, Modules> = BTreeMap::new();
    for path in String::from_utf8(listing.stdout).unwrap().lines() {
        let Some((folder, file)) = ["/src/", "/tests/it/"].iter().find_map(|part| {
            let (package, file) = path.split_once(part)?;
            Some((format!("{package}{part}"), file))
        }) else {
            continue;
        };
        if !file.ends_with("_tests.rs") && root.join(path).exists() {
            let text = std::fs::read_to_string(root.join(path)).unwrap();
            crates.entry(folder).or_default().insert(module_of(file), Source::read(path, &text));
        }
    }
    crates
}

/// `notify/mod.rs` and `notify.rs` are the module `notify`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &str) -> ModulePath {
    let mut module: ModulePath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn circles_of(modules: &Modules) -> Vec<Circle> {
    let imports: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
        modules.keys().map(|module| (module, imports_of(module, modules))).collect();
    let reachable: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        modules.keys().map(|module| (module, reachable_from(module, &imports))).collect();
    let mut seen: BTreeSet<&ModulePath> = BTreeSet::new();
    let mut circles = Vec::new();
    for module in modules.keys().filter(|module| reachable[module].contains(module)) {
        if seen.contains(module) {
            continue;
        }
        let members: BTreeSet<&ModulePath> =
            reachable[module].iter().copied().filter(|other| reachable[other].contains(module)).collect();
        let name = |member: &ModulePath| modules[member].file.clone();
        let circle = members.iter().map(|member| {
            let within = imports[member].iter().filter(|import| members.contains(import));
            (name(member), within.map(|import| short(&name(import))).collect())
        });
        circles.push(Circle(circle.collect()));
        seen.extend(members);
    }
    circles
}

/// A file's path within its crate.
fn short(file: &str) -> String {
    ["/src/", "/tests/it/"]
        .iter()
        .find_map(|part| file.split_once(part))
        .map_or(file, |(_, short)| short)
        .to_owned()
}

fn reachable_from<'a>(
    from: &ModulePath,
    imports: &'a BTreeMap<&ModulePath, BTreeSet<ModulePath>>,
) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&ModulePath> = imports[from].iter().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(&imports[module]);
        }
    }
    reached
}

/// The modules that define what this one uses.
fn imports_of(module: &ModulePath, modules: &Modules) -> BTreeSet<ModulePath> {
    let source = &modules[module];
    let mut used: Vec<ModulePath> = Vec::new();
    for import in &source.imports {
        let Some(path) = absolute(&import.path, module, modules) else { continue };
        if modules.contains_key(&path) {
            // A module was imported: what counts is what is used of it.
            let of_it = source.paths_from(&import.name);
            used.extend(of_it.into_iter().map(|rest| [path.clone(), rest].concat()));
        } else if !import.is_reexport || source.uses(&import.name) {
            used.push(path);
        }
    }
    let children =
        modules.keys().filter(|known| known.len() == module.len() + 1 && known.starts_with(module));
    for child in children {
        let of_it = source.paths_from(child.last().unwrap());
        used.extend(of_it.into_iter().map(|rest| [child.clone(), rest].concat()));
    }
    for start in ["crate", "self", "super"] {
        for rest in source.paths_from(start) {
            used.extend(absolute(&[vec![start.to_owned()], rest].concat(), module, modules));
        }
    }
    let mut imports: BTreeSet<ModulePath> =
        used.iter().map(|path| defining_module(path, modules, 0)).collect();
    imports.remove(module);
    imports
}

/// A path from the root of the crate, seen from `module`. `None`: it leads to another crate.
fn absolute(path: &[String], module: &ModulePath, modules: &Modules) -> Option<ModulePath> {
    let (mut absolute, rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (module.clone(), path),
        first => {
            let child = [module.clone(), vec![first.to_owned()]].concat();
            (modules.contains_key(&child).then(|| module.clone())?, path)
        }
    };
    for segment in rest {
        if segment == "super" {
            absolute.pop();
        } else {
            absolute.push(segment.clone());
        }
    }
    Some(absolute)
}

/// The deepest module on a path, or the one that the rest of the path was re-exported from.
fn defining_module(path: &ModulePath, modules: &Modules, depth: usize) -> ModulePath {
    let mut length = path.len();
    while !modules.contains_key(&path[..length]) {
        length -= 1;
    }
    let module = path[..length].to_vec();
    let reexport = path.get(length).and_then(|name| {
        modules[&module].imports.iter().find(|import| import.is_reexport && import.name == *name)
    });
    let target = reexport.and_then(|import| absolute(&import.path, &module, modules));
    match target {
        Some(target) if depth < REEXPORT_DEPTH_MAX => {
            defining_module(&[target, path[length + 1..].to_vec()].concat(), modules, depth + 1)
        }
        _ => module,
    }
}

/// What the check finds in a crate of these files.
fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let modules: Modules = files
        .iter()
        .map(|(file, text)| (module_of(file), Source::read(&format!("crate/src/{file}"), text)))
        .collect();
    let circles = circles_of(&modules);
    circles
        .iter()
        .map(|circle| circle.0.iter().map(|(file, _)| short(file)).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn files_that_import_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::{b::{B, Other as Renamed}, c};"),
        ("b.rs", "fn f() { super::a::g() }"),
        ("c.rs", "// use crate::a;"),
    ];
    assert_eq!(circles_in(&files), ["a.rs b.rs"]);
}

#[test]
fn a_folder_and_its_children_can_be_a_circle() {
    let files = [
        ("lib.rs", "mod orders;"),
        ("orders/mod.rs", "mod show;\nstruct App;\nfn route() { show::answer() }"),
        ("orders/show.rs", "use super::App;"),
    ];
    assert_eq!(circles_in(&files), ["orders/mod.rs orders/show.rs"]);
}

#[test]
fn a_re_export_leads_to_the_file_that_defines() {
    let files = [
        ("lib.rs", "mod id;\nmod order;\npub use self::id::Id;\npub use order::{Order, Line};"),
        ("id.rs", "pub struct Id;"),
        ("order.rs", "use crate::Id;\npub struct Order(Id);"),
    ];
    assert_eq!(circles_in(&files), [""; 0]);
}

#[test]
fn a_visibility_is_no_import() {
    let files = [
        ("lib.rs", "mod cases;"),
        ("cases/mod.rs", "mod fields;\nfn all() { fields::CASES }"),
        ("cases/fields.rs", "pub(in crate::cases) const CASES: u8 = 1;"),
    ];
    assert_eq!(circles_in(&files), [""; 0]);
}
