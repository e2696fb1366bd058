//! The catalogue as CSV: exported as a document, and imported after a look at what it would change.

use std::hash::{DefaultHasher, Hash, Hasher};

use tolov_domain::{Language, time::TASHKENT};
use tolov_shop::{
    catalogue::Catalogue,
    csv::{self, Applied, Counts, Plan, ProductChange, RowError},
    staff::Action,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{CatalogueStep, StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    staff::{catalogue::import_errors, people::journal},
    telegram::files::DownloadFailed,
    texts::{l, t},
};

/// Far above any shop's catalogue.
const FILE_MAX_BYTES: usize = 1_000_000;
const CHANGES_SHOWN: usize = 10;
const CELLS_SHOWN: usize = 4;
const ERRORS_SHOWN: usize = 15;

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Idle);
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
    ctx.deps.rate_limiter.reserve_priority();
    ctx.deps.telegram.send_document(ctx.chat(), &name, csv::export(&catalogue), caption).await?;
    ctx.answer(None, false).await;
    Ok(())
}

pub(crate) async fn ask_import(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(CatalogueStep::ImportFile);
    ctx.show(ask_screen(ctx.language, None)).await
}

fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "import-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)])
}

/// A file was sent: what it would change is shown. Also while the plan of another file is.
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
    ctx.wait_for(CatalogueStep::ImportFile);
    ctx.show(ask_screen(ctx.language, Some(wrong))).await
}

/// A file compared with the catalogue.
enum Read {
    Plan(Plan),
    /// It cannot be imported, for this reason.
    Wrong(String),
}

async fn read(ctx: &Ctx, file_id: &str) -> Result<Read, HandlerError> {
    let language = ctx.language;
    let content = match ctx.deps.telegram.fetch(file_id, FILE_MAX_BYTES).await {
        Ok(content) => content,
        Err(DownloadFailed::TooLarge) => return Ok(Read::Wrong(t!(language, "import-too-large"))),
        Err(DownloadFailed::Unavailable) => return Ok(Read::Wrong(t!(language, "import-not-now"))),
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
        ctx.wait_for(Step::Idle);
        let screen = Screen::new(t!(language, "import-nothing-new"))
            .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Exchange)]);
        return ctx.show(screen).await;
    }
    let screen = Screen::new(plan_html(language, plan))
        .row([Button::callback(l!(language, "import-do"), CatalogueCallback::Import)])
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)]);
    ctx.wait_for(CatalogueStep::ImportPlan { file_id, plan: fingerprint(plan) });
    ctx.show(screen).await
}

/// Recognises a plan that is made again.
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

/// The plan is confirmed. It is made again, because the shop has gone on selling; where it has changed, the new one is shown
/// first.
pub(crate) async fn import(ctx: Ctx) -> HandlerResult {
    let Step::Staff(StaffStep::Catalogue(CatalogueStep::ImportPlan { file_id, plan: shown })) = ctx.step()
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
    // The step is taken away before the import, so that a tap that is handled twice imports once.
    ctx.wait_for(Step::Idle);
    if !ctx.checkpoint().await? {
        return ctx.stale().await;
    }
    let applied = csv::apply(ctx.documents(), &plan).await?;
    let Applied { products_new, products_changed, categories_new, .. } = applied;
    let action = Action::CatalogueImported { products_new, products_changed, categories_new };
    journal::record(&ctx, action).await?;
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
