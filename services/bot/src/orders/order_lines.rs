//! The lines of an order as text, within what a message holds.

use tolov_domain::{Language, order::OrderLine};

use crate::texts::{amount, money, t};

/// Telegram takes 4096 UTF-16 units after it has read the markup. The markup is counted too, to be on the safe side.
pub(crate) const MESSAGE_MAX_UNITS: usize = 4096;
/// The longest title of a product that is shown whole, so that one line never fills a message.
const TITLE_MAX_CHARS: usize = 120;

/// The lines of an order with what each costs, as many as leave room for sums, an address, a landmark and a comment of the
/// greatest length.
pub(crate) fn priced_lines(language: Language, lines: &[OrderLine]) -> String {
    const UNITS_MAX: usize = 2_000;
    let lines: Vec<String> = lines.iter().map(|line| priced_line(language, line)).collect();
    first_lines(language, &lines, UNITS_MAX).join("\n")
}

pub(crate) fn priced_line(language: Language, line: &OrderLine) -> String {
    let text = order_line(language, line);
    match line.price.and_then(|price| price.checked_times(line.count).ok()) {
        Some(sum) => format!("{text} — {}", money(language, sum)),
        None => text,
    }
}

pub(crate) fn order_line(language: Language, line: &OrderLine) -> String {
    if line.title.is_empty() {
        return t!(language, "order-line-untitled", product = line.product_id, count = line.count);
    }
    let mut title: String = line.title.chars().take(TITLE_MAX_CHARS).collect();
    if title.len() < line.title.len() {
        title.push('…');
    }
    match line.portion {
        Some(portion) => {
            t!(language, "order-line-amount", title = title, amount = amount(language, portion, line.count))
        }
        None => t!(language, "order-line", title = title, count = line.count),
    }
}

/// A title, lines and an end as one message. Where not all lines fit, it says how many are left out.
pub(crate) fn fit_lines(language: Language, title: &str, lines: &[String], end: &str) -> String {
    // Two blank lines around the lines.
    let room = MESSAGE_MAX_UNITS.saturating_sub(units(title) + units(end) + 4);
    let shown = first_lines(language, lines, room);
    if shown.is_empty() {
        return format!("{title}\n\n{end}");
    }
    format!("{title}\n\n{}\n\n{end}", shown.join("\n"))
}

/// The first lines that fit into a size, and how many are left out.
fn first_lines(language: Language, lines: &[String], units_max: usize) -> Vec<String> {
    let more = |left: usize| t!(language, "order-lines-more", count = left);
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

/// Telegram counts in UTF-16.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
