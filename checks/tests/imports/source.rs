//! What one file imports, as it is written there.

/// The code of a file, taken apart.
pub(super) struct Source {
    /// Its path from the root of the repository.
    pub(super) file: String,
    pub(super) imports: Vec<Import>,
    /// The code without its `use` declarations, comments and tests.
    body: String,
}

/// One leaf of a `use` declaration.
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// What it is called in this file.
    pub(super) name: String,
    pub(super) is_reexport: bool,
}

impl Source {
    pub(super) fn read(file: &str, text: &str) -> Self {
        // Tests beside the code may use what they like.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let (mut imports, mut body) = (Vec::new(), String::new());
        let mut rest = code.join("\n");
        while let Some((before, declaration, after)) = next_use(&rest) {
            let visibility = before.trim_end_matches(' ');
            let is_reexport = visibility.ends_with("pub") || visibility.ends_with(')');
            expand(declaration, &mut Vec::new(), &mut |path, name| {
                imports.push(Import { path, name, is_reexport });
            });
            body.push_str(before);
            rest = after.to_owned();
        }
        body.push_str(&rest);
        Self { file: file.to_owned(), imports, body }
    }

    /// Is the name used, apart from `use` declarations?
    pub(super) fn uses(&self, name: &str) -> bool {
        self.words(name).next().is_some()
    }

    /// What follows `name::` wherever a path begins with it, apart from visibilities like `pub(in name::…)`.
    pub(super) fn paths_from(&self, name: &str) -> Vec<Vec<String>> {
        self.words(name)
            .filter(|at| {
                let before = &self.body[..*at];
                !["::", "$", "pub(in "].iter().any(|end| before.ends_with(end))
            })
            .filter_map(|at| {
                let path = self.body[at + name.len()..].strip_prefix("::")?;
                let end = path
                    .find(|character: char| !is_word(character) && character != ':')
                    .unwrap_or(path.len());
                Some(segments(&path[..end]))
            })
            .collect()
    }

    /// Where a whole word stands.
    fn words(&self, word: &str) -> impl Iterator<Item = usize> {
        self.body.match_indices(word).map(|(at, _)| at).filter(move |at| {
            !self.body[..*at].ends_with(is_word) && !self.body[at + word.len()..].starts_with(is_word)
        })
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Text before the next `use` declaration, the tree that it names, and the text behind it.
fn next_use(code: &str) -> Option<(&str, &str, &str)> {
    code.match_indices("use ").find_map(|(at, keyword)| {
        let before = code[..at].trim_end_matches(' ');
        let begins = ["", "\n", "pub", ")", "{", "}", ";", "]"]
            .iter()
            .any(|end| if end.is_empty() { before.is_empty() } else { before.ends_with(end) });
        let (tree, after) = code[at + keyword.len()..].split_once(';').filter(|_| begins)?;
        Some((&code[..at], tree, after))
    })
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(|segment| segment.trim().to_owned()).filter(|segment| !segment.is_empty()).collect()
}

/// Takes `a::{b, c::{d as e}}` apart: the path of every leaf, and its name.
fn expand(tree: &str, prefix: &mut Vec<String>, found: &mut impl FnMut(Vec<String>, String)) {
    for part in parts(tree) {
        let length = prefix.len();
        if let Some((path, inner)) = part.split_once('{') {
            prefix.extend(segments(path));
            expand(inner.rsplit_once('}').map_or(inner, |(inner, _)| inner), prefix, found);
        } else {
            let (path, alias) =
                part.split_once(" as ").map_or((part, None), |(path, alias)| (path, Some(alias)));
            prefix.extend(segments(path));
            if prefix.len() > 1 && prefix.last().is_some_and(|last| last == "self") {
                prefix.pop();
            }
            if let Some(last) = prefix.last().filter(|_| !path.trim().is_empty()) {
                found(prefix.clone(), alias.map_or(last.as_str(), str::trim).to_owned());
            }
        }
        prefix.truncate(length);
    }
}

/// The parts between the commas that stand outside of braces.
fn parts(tree: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    tree.split(|character| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .collect()
}
