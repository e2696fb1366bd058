//! One category: added, renamed, given a photo, moved, hidden, removed.

use tolov_domain::ports::PortError;
use tolov_shop::{
    catalogue::{self, CATEGORIES_MAX, Category, CategoryRemoval, FileId, TITLE_MAX_CHARS},
    staff::{Action, CategoryChange},
};

use crate::{
    conversation::{
        callback::CatalogueCallback,
        context::Ctx,
        dialogue::{CatalogueStep, Field, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{
        catalogue::{
            card, categories,
            photo::{self, Photo},
        },
        input,
        people::journal,
    },
    texts::{l, t},
};

/// What can be done with a category.
pub(crate) async fn settings(ctx: Ctx, id: i64) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let menu = catalogue::categories(ctx.documents()).await?;
    let Some(place) = menu.iter().position(|category| category.id == id) else {
        return categories::gone(ctx).await;
    };
    let Some(category) = menu.get(place) else { return categories::gone(ctx).await };
    let language = ctx.language;
    let title = card::category_label(&category.title, category.hidden);
    let html = t!(
        language,
        "edit-category-card",
        title = title,
        place = place.saturating_add(1),
        count = menu.len()
    );
    let to = |place: usize| CatalogueCallback::PlaceCategory { id, place: u32::try_from(place).unwrap_or(0) };
    let mut moves = Vec::new();
    if let Some(above) = place.checked_sub(1) {
        moves.push(Button::callback(l!(language, "edit-category-up"), to(above)));
    }
    if place.saturating_add(1) < menu.len() {
        moves.push(Button::callback(l!(language, "edit-category-down"), to(place.saturating_add(1))));
    }
    let hidden = !category.hidden;
    let hide = if hidden { l!(language, "edit-hide") } else { l!(language, "edit-unhide") };
    let screen = Screen::new(html)
        .photo(category.photo.clone())
        .row([
            Button::callback(l!(language, "edit-category-rename"), CatalogueCallback::RenameCategory { id }),
            Button::callback(l!(language, "edit-field-photo"), CatalogueCallback::AskCategoryPhoto { id }),
        ])
        .row(moves)
        .row([
            Button::callback(hide, CatalogueCallback::HideCategory { id, hidden }),
            Button::callback(l!(language, "edit-remove"), CatalogueCallback::RemoveCategory { id }),
        ])
        .row([Button::callback(l!(language, "edit-back"), CatalogueCallback::Category { id, page: 0 })]);
    ctx.show(screen).await
}

pub(crate) async fn ask_new(ctx: Ctx) -> HandlerResult {
    if catalogue::categories(ctx.documents()).await?.len() >= CATEGORIES_MAX {
        return ctx.alert(l!(ctx.language, "edit-categories-full")).await;
    }
    // Assigned once, so that a title that arrives twice creates one category.
    let id = catalogue::next_category_id(ctx.documents()).await?;
    ctx.wait_for(CatalogueStep::NewCategory { id });
    ctx.show(ask_title(&ctx, false, CatalogueCallback::Categories { page: 0 })).await
}

fn ask_title(ctx: &Ctx, again: bool, leave: CatalogueCallback) -> Screen {
    let language = ctx.language;
    let ask = t!(language, "edit-category-ask-title", count = TITLE_MAX_CHARS);
    let html = if again { t!(language, "edit-not-understood") + "\n\n" + &ask } else { ask };
    Screen::new(html).row([Button::callback(l!(language, "edit-cancel"), leave)])
}

pub(crate) async fn add(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(title) = ctx.text().and_then(|text| input::line(text, TITLE_MAX_CHARS)) else {
        return ctx.show(ask_title(&ctx, true, CatalogueCallback::Categories { page: 0 })).await;
    };
    let menu = catalogue::categories(ctx.documents()).await?;
    let position = menu.iter().map(|category| category.position).max().unwrap_or(0).saturating_add(1);
    let category = Category { id, title, photo: None, position, hidden: false };
    if catalogue::insert(ctx.documents(), &category).await?.is_applied() {
        record(&ctx, &category, CategoryChange::Added).await?;
    }
    ask_photo(ctx, id).await
}

pub(crate) async fn ask_rename(ctx: Ctx, id: i64) -> HandlerResult {
    if categories::find(&ctx, id).await?.is_none() {
        return categories::gone(ctx).await;
    }
    ctx.wait_for(CatalogueStep::RenameCategory { id });
    ctx.show(ask_title(&ctx, false, CatalogueCallback::CategorySettings { id })).await
}

pub(crate) async fn rename(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(title) = ctx.text().and_then(|text| input::line(text, TITLE_MAX_CHARS)) else {
        return ctx.show(ask_title(&ctx, true, CatalogueCallback::CategorySettings { id })).await;
    };
    let renamed = catalogue::change(ctx.documents(), id, |category: &mut Category| {
        std::mem::replace(&mut category.title, title.clone())
    });
    let Some((category, before)) = renamed.await? else { return categories::gone(ctx).await };
    if before != category.title {
        record(&ctx, &category, CategoryChange::Title { was: before }).await?;
    }
    settings(ctx, id).await
}

pub(crate) async fn ask_photo(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(category) = categories::find(&ctx, id).await? else { return categories::gone(ctx).await };
    ctx.wait_for(CatalogueStep::CategoryPhoto { id });
    let html = t!(ctx.language, "edit-category-ask-photo", title = category.title);
    ctx.show(photo_screen(&ctx, &category, html)).await
}

fn photo_screen(ctx: &Ctx, category: &Category, html: String) -> Screen {
    let language = ctx.language;
    let empty =
        if category.photo.is_some() { l!(language, "edit-remove-photo") } else { l!(language, "edit-skip") };
    Screen::new(html)
        .row([Button::callback(empty, CatalogueCallback::LeaveEmpty { field: Field::Photo })])
        .row([Button::callback(
            l!(language, "edit-cancel"),
            CatalogueCallback::CategorySettings { id: category.id },
        )])
}

pub(crate) async fn take_photo(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(category) = categories::find(&ctx, id).await? else { return categories::gone(ctx).await };
    let caption = l!(
        ctx.deps.config.staff_language,
        "edit-photo-of-category",
        id = category.id,
        title = category.title
    );
    match photo::keep(&ctx, caption).await? {
        Photo::Kept(file_id) => put_photo(ctx, id, Some(file_id)).await,
        Photo::Not(why) => ctx.show(photo_screen(&ctx, &category, why)).await,
    }
}

pub(super) async fn put_photo(ctx: Ctx, id: i64, photo: Option<FileId>) -> HandlerResult {
    let changed = catalogue::change(ctx.documents(), id, |category: &mut Category| {
        std::mem::replace(&mut category.photo, photo.clone())
    });
    let Some((category, before)) = changed.await? else { return categories::gone(ctx).await };
    if before != category.photo {
        record(&ctx, &category, CategoryChange::Photo).await?;
    }
    settings(ctx, id).await
}

pub(crate) async fn place(ctx: Ctx, (id, place): (i64, u32)) -> HandlerResult {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    let before = catalogue::categories(ctx.documents()).await?;
    let was = before.iter().position(|category| category.id == id);
    let menu = catalogue::place_category(ctx.documents(), id, place).await?;
    let now = menu.iter().position(|category| category.id == id);
    if let (Some(was), Some(now)) = (was, now)
        && was != now
        && let Some(category) = menu.get(now)
    {
        let change = CategoryChange::Place { was: was.saturating_add(1), now: now.saturating_add(1) };
        record(&ctx, category, change).await?;
    }
    settings(ctx, id).await
}

pub(crate) async fn hide(ctx: Ctx, (id, hidden): (i64, bool)) -> HandlerResult {
    let changed = catalogue::change(ctx.documents(), id, |category: &mut Category| {
        std::mem::replace(&mut category.hidden, hidden)
    });
    let Some((category, was)) = changed.await? else { return categories::gone(ctx).await };
    if was != hidden {
        let change = if hidden { CategoryChange::Hidden } else { CategoryChange::Shown };
        record(&ctx, &category, change).await?;
    }
    settings(ctx, id).await
}

pub(crate) async fn ask_removal(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(category) = categories::find(&ctx, id).await? else { return categories::gone(ctx).await };
    let products = catalogue::count_products_in(ctx.documents(), id).await?;
    let language = ctx.language;
    if products > 0 {
        return ctx.alert(l!(language, "edit-category-not-empty", count = products)).await;
    }
    let screen = Screen::new(t!(language, "edit-category-ask-removal", title = category.title))
        .row([Button::callback(
            l!(language, "edit-remove-surely"),
            CatalogueCallback::RemoveCategoryConfirmed { id },
        )])
        .row([Button::callback(l!(language, "edit-keep"), CatalogueCallback::CategorySettings { id })]);
    ctx.show(screen).await
}

pub(crate) async fn remove(ctx: Ctx, id: i64) -> HandlerResult {
    match catalogue::remove_category(ctx.documents(), id).await? {
        CategoryRemoval::NotEmpty(count) => {
            return ctx.alert(l!(ctx.language, "edit-category-not-empty", count = count)).await;
        }
        CategoryRemoval::Done(category) => {
            record(&ctx, &category, CategoryChange::Removed).await?;
            ctx.toast(l!(ctx.language, "edit-removed")).await?;
        }
        CategoryRemoval::Gone => {}
    }
    categories::list(ctx, 0).await
}

async fn record(ctx: &Ctx, category: &Category, change: CategoryChange) -> Result<(), PortError> {
    journal::record(ctx, Action::Category { category_id: category.id, title: category.title.clone(), change })
        .await
}
