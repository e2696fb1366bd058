//! The catalogue as a table: out as a document, in again after a look at what it would change.

use std::hash::{DefaultHasher, Hash, Hasher};

use tolov_domain::{Language, time::TASHKENT};
use tolov_shop::csv::{self, Applied, Catalogue, Counts, Plan, ProductChange, RowError};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{CatalogueStep, StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    staff::{
        catalogue::import_errors,
        people::{journal, journal_texts},
    },
    telegram::files::NotFetched,
    texts::{l, t},
};

/// Far above any shop's table, far below what a chat can be used to stuff a server with.
const FILE_MAX_BYTES: usize = 1_000_000;
const CHANGES_SHOWN: usize = 10;
const CELLS_SHOWN: usize = 4;
const ERRORS_SHOWN: usize = 15;

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Idle).await?;
    let language = ctx.language;
    let screen = Screen::new(t!(language, "exchange-title"))
        .row([
            Button::callback(l!(language, "exchange-export"), CatalogueCallback::Export),
            Button::callback(l!(language, "exchange-import"), CatalogueCallback::AskImport),
        ])
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Categories { page: 0 })]);
    ctx.show(screen).await
}

pub(crate) async fn export(ctx: Ctx) -> HandlerResult {
    let catalogue = Catalogue::read(ctx.documents()).await?;
    let today = ctx.now().to_offset(TASHKENT).date();
    let name = format!("catalogue-{today}.csv");
    let caption = l!(ctx.language, "exchange-caption", count = catalogue.products.len());
    ctx.deps.overall.reserve_priority();
    ctx.deps.telegram.send_document(ctx.chat(), &name, csv::export(&catalogue), caption).await?;
    ctx.answer(None, false).await;
    Ok(())
}

pub(crate) async fn ask_import(ctx: Ctx) -> HandlerResult {
    ctx.expect(step(CatalogueStep::ImportFile)).await?;
    ctx.show(ask_screen(ctx.language, None)).await
}

fn step(step: CatalogueStep) -> Step {
    Step::Staff(StaffStep::Catalogue(step))
}

fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "import-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)])
}

/// A table was sent: what it would change is shown. Also while another one's plan is.
pub(crate) async fn answer(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let document = ctx.message().and_then(|message| message.document()).map(|document| document.file.clone());
    let Some(file) = document else {
        return wait_for_another(ctx, t!(language, "import-no-file")).await;
    };
    if usize::try_from(file.size).is_ok_and(|size| size > FILE_MAX_BYTES) && file.size != u32::MAX {
        return wait_for_another(ctx, t!(language, "import-too-large")).await;
    }
    look_at(ctx, file.id.0).await
}

async fn wait_for_another(ctx: Ctx, wrong: String) -> HandlerResult {
    ctx.expect(step(CatalogueStep::ImportFile)).await?;
    ctx.show(ask_screen(ctx.language, Some(wrong))).await
}

/// What came of reading a file against the catalogue as it is now.
enum Read {
    Plan(Plan),
    /// It cannot be imported, and this is what to say.
    Wrong(String),
}

async fn read(ctx: &Ctx, file_id: &str) -> Result<Read, HandlerError> {
    let language = ctx.language;
    let content = match ctx.deps.telegram.fetch(file_id, FILE_MAX_BYTES).await {
        Ok(content) => content,
        Err(NotFetched::TooLarge) => return Ok(Read::Wrong(t!(language, "import-too-large"))),
        Err(NotFetched::NotNow) => return Ok(Read::Wrong(t!(language, "import-not-now"))),
    };
    let catalogue = Catalogue::read(ctx.documents()).await?;
    Ok(match csv::plan(&content, &catalogue) {
        Ok(plan) => Read::Plan(plan),
        Err(errors) => Read::Wrong(errors_html(language, &errors)),
    })
}

async fn look_at(ctx: Ctx, file_id: String) -> HandlerResult {
    match read(&ctx, &file_id).await? {
        Read::Wrong(wrong) => wait_for_another(ctx, wrong).await,
        Read::Plan(plan) => show_plan(ctx, file_id, &plan).await,
    }
}

async fn show_plan(ctx: Ctx, file_id: String, plan: &Plan) -> HandlerResult {
    let language = ctx.language;
    if plan.is_empty() {
        ctx.expect(Step::Idle).await?;
        let screen = Screen::new(t!(language, "import-nothing-new"))
            .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Exchange)]);
        return ctx.show(screen).await;
    }
    let screen = Screen::new(plan_html(language, plan))
        .row([Button::callback(l!(language, "import-do"), CatalogueCallback::Import)])
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)]);
    ctx.expect(step(CatalogueStep::ImportPlan { file_id, plan: fingerprint(plan) })).await?;
    ctx.show(screen).await
}

/// Tells whether a plan that is made again is the one that was shown.
fn fingerprint(plan: &Plan) -> String {
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

/// The plan is agreed to. It is made again, because the shop has gone on selling: where it is another one now, that one
/// is shown first.
pub(crate) async fn import(ctx: Ctx) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(CatalogueStep::ImportPlan { file_id, plan: shown })) =
        ctx.dialogue.step.clone()
    else {
        return ctx.stale().await;
    };
    let plan = match read(&ctx, &file_id).await? {
        Read::Wrong(wrong) => return wait_for_another(ctx, wrong).await,
        Read::Plan(plan) => plan,
    };
    if fingerprint(&plan) != shown {
        ctx.alert(l!(ctx.language, "import-changed-since")).await?;
        return show_plan(ctx, file_id, &plan).await;
    }
    // Whoever takes the step away does it, so that two taps import once.
    let mut is_ours = false;
    let agreed = ctx.dialogue.step.clone();
    ctx.change(|dialogue| {
        is_ours = dialogue.step == agreed;
        if is_ours {
            dialogue.step = Step::Idle;
        }
    })
    .await?;
    if !is_ours {
        return ctx.stale().await;
    }
    let applied = csv::apply(ctx.documents(), &plan).await?;
    let Applied { products_new, products_changed, categories_new, .. } = applied;
    let detail = journal_texts::import_detail(products_new, products_changed, categories_new);
    journal::note(&ctx, "catalogue.imported", detail).await?;
    ctx.show(done_screen(ctx.language, &applied)).await
}

fn done_screen(language: Language, applied: &Applied) -> Screen {
    let mut html = t!(
        language,
        "import-done",
        new = applied.products_new,
        changed = applied.products_changed,
        categories = applied.categories_new
    );
    if !applied.gone.is_empty() {
        html.push('\n');
        html.push_str(&t!(language, "import-done-gone", count = applied.gone.len()));
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

fn errors_html(language: Language, errors: &[RowError]) -> String {
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
    use super::*;

    const NEW: &[u8] = b"category;title;price\nIdish;Choynak;90000\nIdish;<Piyola>;12000\n";

    #[test]
    fn a_plan_says_what_is_new_and_is_told_from_another_one() {
        let plan = csv::plan(NEW, &Catalogue::default()).unwrap();
        let html = plan_html(Language::En, &plan);
        assert!(html.contains("Choynak") && html.contains("&lt;Piyola&gt;"), "{html}");
        let dearer =
            csv::plan(b"category;title;price\nIdish;Choynak;95000\n", &Catalogue::default()).unwrap();
        assert_eq!(fingerprint(&plan), fingerprint(&plan.clone()));
        assert_ne!(fingerprint(&plan), fingerprint(&dearer));
    }

    #[test]
    fn errors_are_told_by_line() {
        let wrong = b"category;title;price\nIdish;Choynak;arzon\n";
        let errors = csv::plan(wrong, &Catalogue::default()).unwrap_err();
        for language in Language::ALL {
            let html = errors_html(language, &errors);
            assert!(html.contains('2') && html.contains("price"), "{html}");
        }
    }
}
