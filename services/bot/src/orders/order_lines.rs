//! The lines of an order as text.

use tolov_domain::{Language, Phone, order::OrderLine};

use crate::texts::{Gaps, money, say};

/// Telegram takes 4096 characters after it has read the markup. Counting the markup too keeps us on the safe side.
pub(crate) const MESSAGE_MAX_UNITS: usize = 4096;
/// A longer name of a product is cut, so that one line never takes a message for itself.
const TITLE_MAX_CHARS: usize = 120;

/// The lines of an order with what each costs, as many as leave room for the rest of a message: sums, an address, a
/// landmark and a comment of the longest.
pub(crate) fn lines_of(language: Language, lines: &[OrderLine]) -> String {
    const UNITS_MAX: usize = 2_000;
    let said = |line: &OrderLine| {
        let text = order_line(language, line);
        match line.price.and_then(|price| price.checked_times(line.count).ok()) {
            Some(sum) => format!("{text} — {}", money(language, sum)),
            None => text,
        }
    };
    let lines: Vec<String> = lines.iter().map(said).collect();
    first_lines(language, &lines, UNITS_MAX).join("\n")
}

/// The first of some lines, within a size, and how many more there are.
pub(crate) fn first_lines(language: Language, lines: &[String], units_max: usize) -> Vec<String> {
    let more = |left: usize| {
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        say(language, "order-lines-more", &Gaps::new().count("count", left))
    };
    let mut room = units_max.saturating_sub(units(&more(lines.len())) + 1);
    let mut shown = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(rest) = room.checked_sub(units(line) + 1) else { break };
        room = rest;
        shown.push(line.clone());
    }
    if shown.len() < lines.len() {
        shown.push(more(lines.len() - shown.len()));
    }
    shown
}

/// A number as people write it; one that is none stays as it is.
pub(crate) fn phone(text: &str) -> String {
    Phone::parse(text).map_or_else(|_| text.to_owned(), |phone| phone.spaced())
}

/// The same with lines that are said already.
pub(crate) fn fit_lines(language: Language, title: &str, lines: &[String], end: &str) -> String {
    // Two blank lines around the lines of the order.
    let room = MESSAGE_MAX_UNITS.saturating_sub(units(title) + units(end) + 4);
    let shown = first_lines(language, lines, room);
    if shown.is_empty() {
        return format!("{title}\n\n{end}");
    }
    format!("{title}\n\n{}\n\n{end}", shown.join("\n"))
}

pub(crate) fn order_line(language: Language, line: &OrderLine) -> String {
    let count = Gaps::new().count("count", line.count);
    if line.title.is_empty() {
        return say(language, "order-line-untitled", &count.text("product", &line.product_id));
    }
    let mut title: String = line.title.chars().take(TITLE_MAX_CHARS).collect();
    if title.len() < line.title.len() {
        title.push('…');
    }
    say(language, "order-line", &count.text("title", &title))
}

/// Telegram counts in UTF-16.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
