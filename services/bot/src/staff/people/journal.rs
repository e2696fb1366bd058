//! Who did what: written down at every change, read by owners.

use tolov_domain::{Language, ports::PortError};
use tolov_shop::staff::{self, StaffAction};

use crate::{
    conversation::{
        callback::StaffCallback, context::Ctx, dialogue::Step, error::HandlerResult, screen::Screen,
    },
    staff::{
        panel,
        people::{journal_texts, names::Names},
    },
    texts::{date_time, t},
};

const ON_A_PAGE: u32 = 10;
const DETAIL_MAX_CHARS: usize = 200;

/// Writes down what the person has just done.
pub(crate) async fn note(ctx: &Ctx, what: &str, detail: String) -> Result<(), PortError> {
    let detail = short(&detail);
    staff::note(ctx.documents(), ctx.id(), ctx.now(), what, (None, detail)).await
}

/// A change of a value; what stayed as it was is not written down.
pub(crate) async fn note_change(
    ctx: &Ctx,
    what: &str,
    about: &str,
    (before, after): (String, String),
) -> Result<(), PortError> {
    if before == after {
        return Ok(());
    }
    note(ctx, what, format!("{about}: {before} → {after}")).await
}

pub(crate) async fn open(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
    let skip = page.saturating_mul(ON_A_PAGE);
    // One more than is shown says whether there is another page.
    let actions = staff::latest_actions(ctx.documents(), skip, ON_A_PAGE + 1).await?;
    let ids = actions.iter().map(|action| action.staff_id);
    let names =
        Names::read(ctx.documents(), ids.chain(actions.iter().filter_map(journal_texts::person_in))).await?;
    ctx.show(screen(ctx.language, page, &actions, &names)).await
}

fn screen(language: Language, page: u32, actions: &[StaffAction], names: &Names) -> Screen {
    let on_a_page = usize::try_from(ON_A_PAGE).unwrap_or(usize::MAX);
    let mut html = t!(language, "journal-title");
    if actions.is_empty() {
        html.push_str("\n\n");
        html.push_str(&t!(language, "journal-empty"));
    }
    for action in actions.iter().take(on_a_page) {
        let told = journal_texts::detail(language, action, names);
        let detail = match action.order_id {
            Some(order_id) => format!("№{order_id} {told}"),
            None => told,
        };
        html.push_str("\n\n");
        html.push_str(&t!(
            language,
            "journal-entry",
            time = date_time(action.at),
            who = names.plain(action.staff_id),
            what = journal_texts::deed_name(language, &action.what),
            detail = detail.trim().to_owned()
        ));
    }
    let pages = page.saturating_add(if actions.len() > on_a_page { 2 } else { 1 });
    Screen::new(html)
        .row(panel::pager(page, pages, |page| StaffCallback::Journal { page }.into()))
        .row(panel::back(language))
}

fn short(detail: &str) -> String {
    let one_line = detail.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= DETAIL_MAX_CHARS {
        return one_line;
    }
    let mut short: String = one_line.chars().take(DETAIL_MAX_CHARS).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_domain::UserId;

    use super::*;

    #[test]
    fn an_entry_says_who_when_what_and_of_what() {
        let id = UserId::try_new(5).unwrap();
        let action = StaffAction {
            id: 1,
            staff_id: id,
            at: datetime!(2026-11-23 07:05 UTC),
            what: "product.price".to_owned(),
            order_id: None,
            detail: "7 <Choynak>: 12 000 → 13 000".to_owned(),
        };
        let names: Names = [(id, "Dilnoza".to_owned())].into_iter().collect();
        let shown = screen(Language::En, 0, std::slice::from_ref(&action), &names).html;
        assert!(shown.contains("23.11.2026 12:05") && shown.contains("Dilnoza"), "{shown}");
        assert!(shown.contains("7 &lt;Choynak&gt;: 12 000 → 13 000"), "{shown}");
        let nobody = screen(Language::En, 0, &[action], &Names::default()).html;
        assert!(nobody.contains("<b>5</b>"), "{nobody}");
        assert_eq!(short(&"a".repeat(500)).chars().count(), DETAIL_MAX_CHARS + 1);
    }
}
