//! The journal: who did what. Entered at every change, read by owners.

use tolov_domain::{
    Language,
    ports::{PortError, documents::Query},
};
use tolov_shop::staff::{self, Action, STAFF_ACTIONS, StaffAction};

use crate::{
    conversation::{
        callback::StaffCallback,
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        pages::{self, PER_PAGE, page_buttons},
        screen::Screen,
    },
    staff::{
        panel,
        people::{journal_texts, names::Names},
    },
    texts::{date_time, t},
};

const DETAIL_MAX_CHARS: usize = 200;

/// Enters what the person has just done.
pub(crate) async fn record(ctx: &Ctx, action: Action) -> Result<(), PortError> {
    staff::record(ctx.documents(), ctx.id(), ctx.now(), action).await
}

pub(crate) async fn open(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let count = ctx.documents().count(&Query::all(STAFF_ACTIONS, 1)).await?;
    let entries = staff::latest_actions(ctx.documents(), page.saturating_mul(PER_PAGE), PER_PAGE).await?;
    let staff = entries.iter().map(|entry| entry.staff_id);
    let others = entries.iter().filter_map(|entry| journal_texts::person_in(&entry.action));
    let names = Names::read(ctx.documents(), staff.chain(others)).await?;
    let screen = Screen::new(html(ctx.language, &entries, &names))
        .row(page_buttons(page, pages::count(count), |page| StaffCallback::Journal { page }))
        .row(panel::back(ctx.language));
    ctx.show(screen).await
}

fn html(language: Language, entries: &[StaffAction], names: &Names) -> String {
    let mut html = t!(language, "journal-title");
    if entries.is_empty() {
        html.push_str("\n\n");
        html.push_str(&t!(language, "journal-empty"));
    }
    for entry in entries {
        let (what, detail) = journal_texts::texts_of(language, &entry.action, names);
        html.push_str("\n\n");
        html.push_str(&t!(
            language,
            "journal-entry",
            time = date_time(entry.at),
            who = names.plain(entry.staff_id),
            what = what,
            detail = cut(&detail)
        ));
    }
    html
}

fn cut(detail: &str) -> String {
    let one_line = detail.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= DETAIL_MAX_CHARS {
        return one_line;
    }
    let mut cut: String = one_line.chars().take(DETAIL_MAX_CHARS).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_domain::{ProductId, Tiyin, UserId};
    use tolov_shop::staff::ProductChange;

    use super::*;

    #[test]
    fn an_entry_shows_person_time_action_and_subject() {
        let id = UserId::try_new(5).unwrap();
        let change = ProductChange::Price {
            was: Tiyin::from_soum(12_000).unwrap(),
            now: Tiyin::from_soum(13_000).unwrap(),
        };
        let entry = StaffAction {
            id: 1,
            staff_id: id,
            at: datetime!(2026-11-23 07:05 UTC),
            action: Action::Product {
                product_id: ProductId::try_new(7).unwrap(),
                title: "<Choynak>".to_owned(),
                change,
            },
        };
        let names: Names = [(id, "Dilnoza".to_owned())].into_iter().collect();
        let shown = html(Language::En, std::slice::from_ref(&entry), &names);
        assert!(shown.contains("23.11.2026 12:05") && shown.contains("Dilnoza"), "{shown}");
        assert!(shown.contains("7 &lt;Choynak&gt;: 12\u{a0}000 → 13\u{a0}000"), "{shown}");
        let without_name = html(Language::En, &[entry], &Names::default());
        assert!(without_name.contains("<b>5</b>"), "{without_name}");
        assert_eq!(cut(&"a".repeat(500)).chars().count(), DETAIL_MAX_CHARS + 1);
    }
}
