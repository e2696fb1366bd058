//! What is said of an import: its plan, its progress, its end.

use std::hash::{DefaultHasher, Hash, Hasher};

use tolov_domain::Language;
use tolov_shop::csv::{Counts, ImportJob, Plan, ProductChange, RowError};

use crate::{
    broadcast::progress_message::bar,
    conversation::{
        callback::CatalogueCallback,
        screen::{Button, Screen},
    },
    staff::catalogue::import_errors,
    texts::{l, t},
};

const CHANGES_SHOWN: usize = 10;
const CELLS_SHOWN: usize = 4;
const ERRORS_SHOWN: usize = 15;

/// Recognises a plan that is made again.
pub(super) fn fingerprint(plan: &Plan) -> String {
    let mut hasher = DefaultHasher::new();
    format!("{plan:?}").len().hash(&mut hasher);
    for title in plan.new_categories() {
        title.hash(&mut hasher);
    }
    for change in plan.changes() {
        format!("{change:?}").hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// `None`: the file changes nothing.
pub(super) fn plan_screen(language: Language, plan: &Plan, has_changed: bool) -> Option<Screen> {
    if plan.is_empty() {
        return None;
    }
    let mut html = plan_html(language, plan);
    if has_changed {
        html = format!("{}\n\n{html}", t!(language, "import-changed-since"));
    }
    let screen = Screen::new(html)
        .row([Button::callback(l!(language, "import-do"), CatalogueCallback::Import)])
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)]);
    Some(screen)
}

pub(super) fn nothing_new(language: Language) -> Screen {
    Screen::new(t!(language, "import-nothing-new"))
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Exchange)])
}

pub(super) fn progress(language: Language, job: &ImportJob) -> Screen {
    // What changed in the catalogue since the plan was made counts too.
    let (done, total) = (job.done(), job.total.max(job.done()));
    Screen::new(t!(language, "import-progress", bar = bar(done, total), done = done, total = total))
}

pub(super) fn broken_off(language: Language, job: &ImportJob, reason: &str) -> Screen {
    let (new, changed) = (job.products_new, job.products_changed);
    Screen::new(t!(language, "import-broken-off", reason = reason, new = new, changed = changed))
}

pub(super) fn done_screen(language: Language, job: &ImportJob) -> Screen {
    let mut html = t!(
        language,
        "import-done",
        new = job.products_new,
        changed = job.products_changed,
        categories = job.categories_new
    );
    if job.gone > 0 {
        html.push('\n');
        html.push_str(&t!(language, "import-done-gone", count = job.gone));
    }
    Screen::new(html)
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Categories { page: 0 })])
}

fn plan_html(language: Language, plan: &Plan) -> String {
    let Counts { products_new, products_changed, products_same, variants_new, categories_new } =
        plan.counts();
    let mut html = t!(
        language,
        "import-plan",
        new = products_new,
        changed = products_changed,
        same = products_same,
        variants = variants_new,
        categories = categories_new
    );
    for change in plan.changes().take(CHANGES_SHOWN) {
        html.push('\n');
        html.push_str(&change_line(language, &change));
    }
    let more = products_new.saturating_add(products_changed).saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        html.push('\n');
        html.push_str(&t!(language, "import-more", count = more));
    }
    html
}

fn change_line(language: Language, change: &ProductChange) -> String {
    if change.product_id.is_none() {
        return t!(language, "import-line-new", title = change.title);
    }
    let mut cells: Vec<String> = change
        .cells
        .iter()
        .take(CELLS_SHOWN)
        .map(|cell| cell.to_string().chars().take(100).collect())
        .collect();
    if change.cells.len() > CELLS_SHOWN {
        cells.push("…".to_owned());
    }
    t!(language, "import-line-changed", title = change.title, cells = cells.join("; "))
}

pub(super) fn errors_html(language: Language, errors: &[RowError]) -> String {
    let mut html = t!(language, "import-errors", count = errors.len());
    for error in errors.iter().take(ERRORS_SHOWN) {
        html.push('\n');
        html.push_str(&import_errors::line(language, error));
    }
    let more = errors.len().saturating_sub(ERRORS_SHOWN);
    if more > 0 {
        html.push('\n');
        html.push_str(&t!(language, "import-more", count = more));
    }
    html
}

#[cfg(test)]
mod tests {
    use tolov_shop::{catalogue::Catalogue, csv};

    use super::*;

    const NEW: &[u8] = b"category;title;price\nIdish;Choynak;90000\nIdish;<Piyola>;12000\n";

    #[test]
    fn a_plan_shows_what_is_new_and_has_a_fingerprint_of_its_own() {
        let plan = csv::plan(NEW, &Catalogue::default()).unwrap();
        let html = plan_html(Language::En, &plan);
        assert!(html.contains("Choynak") && html.contains("&lt;Piyola&gt;"), "{html}");
        let dearer =
            csv::plan(b"category;title;price\nIdish;Choynak;95000\n", &Catalogue::default()).unwrap();
        assert_eq!(fingerprint(&plan), fingerprint(&plan.clone()));
        assert_ne!(fingerprint(&plan), fingerprint(&dearer));
    }

    #[test]
    fn errors_are_shown_by_line() {
        let wrong = b"category;title;price\nIdish;Choynak;arzon\n";
        let errors = csv::plan(wrong, &Catalogue::default()).unwrap_err();
        for language in Language::ALL {
            let html = errors_html(language, &errors);
            assert!(html.contains('2') && html.contains("price"), "{html}");
        }
    }
}
