//! The catalogue as CSV: exported as a document, and imported after a look at what it would change.

use tolov_domain::{Language, time::TASHKENT};
use tolov_shop::{
    catalogue::Catalogue,
    csv::{self, ImportJob, ImportState},
    records,
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{CatalogueStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    texts::{l, t},
};

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

/// `wrong`: why the last file was not taken.
pub(super) fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "import-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "edit-cancel"), CatalogueCallback::Exchange)])
}

/// A file was sent: a job compares it with the catalogue.
pub(crate) async fn answer(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let document = ctx.message().and_then(|message| message.document()).map(|document| document.file.clone());
    let Some(file) = document else {
        return ctx.show(ask_screen(language, Some(t!(language, "import-no-file")))).await;
    };
    if usize::try_from(file.size).is_ok_and(|size| size > csv::FILE_MAX_BYTES) && file.size != u32::MAX {
        return ctx.show(ask_screen(language, Some(t!(language, "import-too-large")))).await;
    }
    let before = records::read::<ImportJob>(ctx.documents(), ctx.id().get()).await?;
    if before.is_some_and(|job| job.state == ImportState::Applying) {
        return ctx.reply(t!(language, "import-running")).await;
    }
    // Not as the screen of the conversation, which is removed when the next one is shown.
    let shown = ctx.deps.send_to(ctx.id(), &Screen::new(t!(language, "import-reading"))).await?;
    let job = ImportJob::new(ctx.id(), file.id.0, Some(shown.message_id), ctx.now());
    if records::insert(ctx.documents(), &job).await?.is_applied() {
        return Ok(());
    }
    records::change(ctx.documents(), ctx.id().get(), |kept: &mut ImportJob| {
        // One that was confirmed meanwhile goes on.
        if kept.state != ImportState::Applying {
            kept.clone_from(&job);
        }
    })
    .await?;
    Ok(())
}

/// The plan is confirmed: the job carries it out.
pub(crate) async fn import(ctx: Ctx) -> HandlerResult {
    let Some(shown) = ctx.tapped_here() else { return ctx.stale().await };
    let confirmed =
        records::change(ctx.documents(), ctx.id().get(), |job: &mut ImportJob| job.confirm(shown.message_id));
    let Some((_, true)) = confirmed.await? else { return ctx.stale().await };
    ctx.wait_for(Step::Idle);
    let started = Screen::new(t!(ctx.language, "import-started"));
    let back = Button::callback(l!(ctx.language, "edit-back"), CatalogueCallback::Categories { page: 0 });
    ctx.show(started.row([back])).await
}
