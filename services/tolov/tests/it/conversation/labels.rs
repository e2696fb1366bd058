//! What stands on the bot's buttons, read from its language files: a story names a button by what it does, so that a
//! better wording changes the snapshots alone.

use crate::processes::repository;

/// The text of a key in a language; of a text with gaps, the longest piece between them.
pub(crate) fn label(language: &str, key: &str) -> String {
    let folder = repository().join("services/bot/locales").join(language);
    for file in std::fs::read_dir(&folder).unwrap() {
        let texts = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut lines = texts.lines();
        let value =
            lines.find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim));
        match value {
            // A long text begins on the next line.
            Some("") => return longest_piece(lines.next().unwrap().trim()),
            Some(value) => return longest_piece(value),
            None => {}
        }
    }
    panic!("no text {key} in {}", folder.display());
}

fn longest_piece(text: &str) -> String {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        pieces.push(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pieces.push(rest);
    // What is between tags: a story looks for what is shown.
    let shown = pieces
        .into_iter()
        .flat_map(|piece| piece.split('<'))
        .map(|piece| piece.split_once('>').map_or(piece, |(_, shown)| shown));
    shown.map(str::trim).max_by_key(|piece| piece.chars().count()).unwrap_or_default().to_owned()
}
