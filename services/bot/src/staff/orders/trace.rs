//! /trace: everything that is known of an order across all stores, for owners.

use tolov_domain::{Language, OrderId};
use tolov_shop::staff::Role;

use crate::{
    conversation::{context::Ctx, error::HandlerResult},
    orders::{
        order_lines::{MESSAGE_MAX_UNITS, units},
        trace::TraceEntry,
    },
    staff::orders::list::number_in,
    texts::{date_time, number, t},
};

/// An entry may carry a whole callback.
const ENTRY_MAX_CHARS: usize = 700;
/// Beyond, the command line shows the rest.
const MESSAGES_MAX: usize = 8;

/// For everybody else it is not a command (`schema.rs`).
pub(crate) fn is_shown_to(ctx: &Ctx) -> bool {
    ctx.role == Some(Role::Owner) && ctx.deps.trace.is_some()
}

/// `/trace 1024`
pub(crate) async fn show(ctx: Ctx, order: String) -> HandlerResult {
    let id = number_in(&order).and_then(|number| OrderId::try_new(number).ok());
    let (Some(trace), Some(id)) = (&ctx.deps.trace, id) else {
        return ctx.reply(t!(ctx.language, "trace-which")).await;
    };
    let entries = trace.trace(id, ctx.language).await;
    for message in messages(ctx.language, id, &entries) {
        ctx.reply(message).await?;
    }
    Ok(())
}

/// As few messages as hold the entries whole.
fn messages(language: Language, id: OrderId, entries: &[TraceEntry]) -> Vec<String> {
    if entries.is_empty() {
        return vec![t!(language, "trace-nothing", order = number(language, id))];
    }
    let more = |left: usize| t!(language, "trace-more", count = left, order = id);
    // The last message has room to say how many are left out.
    let room = MESSAGE_MAX_UNITS - units(&more(entries.len())) - 2;
    let mut messages = Vec::new();
    let mut message = t!(language, "trace-title", order = number(language, id));
    for (place, entry) in entries.iter().enumerate() {
        let entry = line(language, entry);
        if units(&message) + units(&entry) + 2 <= room {
            message.push_str("\n\n");
            message.push_str(&entry);
            continue;
        }
        if messages.len() + 1 == MESSAGES_MAX {
            message.push_str("\n\n");
            message.push_str(&more(entries.len() - place));
            break;
        }
        messages.push(std::mem::replace(&mut message, entry));
    }
    messages.push(message);
    messages
}

fn line(language: Language, entry: &TraceEntry) -> String {
    let time = entry
        .at
        .map_or_else(|| t!(language, "trace-now"), |at| format!("{}:{:02}", date_time(at), at.second()));
    let mut text: String = entry.text.chars().take(ENTRY_MAX_CHARS).collect();
    if text.len() < entry.text.len() {
        text.push('…');
    }
    t!(language, "trace-entry", time = time, source = entry.source, text = text)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn entry(text: &str) -> TraceEntry {
        let at = Some(datetime!(2026-11-23 07:05:09 UTC));
        TraceEntry { at, source: "ledger".to_owned(), text: text.to_owned() }
    }

    fn shown(entries: &[TraceEntry]) -> Vec<String> {
        messages(Language::En, OrderId::try_new(1001).unwrap(), entries)
    }

    #[test]
    fn an_entry_says_when_who_and_what_and_nothing_in_it_is_markup() {
        let now = TraceEntry { at: None, ..entry("paid") };
        let shown = shown(&[entry("<b>Choy</b> & non"), now]);
        assert_eq!(shown.len(), 1);
        for part in
            ["#1001", "23.11.2026 12:05:09 · <b>ledger</b>", "&lt;b&gt;Choy&lt;/b&gt; &amp; non", "now · "]
        {
            assert!(shown[0].contains(part), "{part} in {shown:?}");
        }
    }

    #[test]
    fn a_long_trace_is_split_between_entries_and_every_message_fits() {
        let entries: Vec<TraceEntry> =
            (0..25).map(|place| entry(&format!("{place}:{}", "<".repeat(200)))).collect();
        let shown = shown(&entries);
        assert!(shown.len() > 5 && shown.iter().all(|message| units(message) <= MESSAGE_MAX_UNITS));
        let all = shown.join("\n\n");
        assert!(
            (0..25).all(|place| all.contains(&format!("{place}:{}", "&lt;".repeat(200)))),
            "each is whole"
        );
    }

    #[test]
    fn what_fills_too_many_messages_is_counted_and_no_entry_fills_one_alone() {
        let entries = vec![entry(&"&".repeat(5_000)); 1_000];
        let shown = shown(&entries);
        assert_eq!(shown.len(), MESSAGES_MAX);
        assert!(shown.iter().all(|message| units(message) <= MESSAGE_MAX_UNITS));
        let told: usize = shown.iter().map(|message| message.matches("<b>ledger</b>").count()).sum();
        let last = shown.last().unwrap();
        assert!(
            last.contains(&format!("{} more", 1_000 - told)) && last.contains("tolov trace 1001"),
            "{last}"
        );
        assert_eq!(super::messages(Language::En, OrderId::try_new(7).unwrap(), &[]).len(), 1);
    }
}
