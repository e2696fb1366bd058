//! The way in: where /start and links lead, the language, the phone number of the profile.

use tolov_domain::{Language, ProductId, ports::PortError};
use tolov_shop::shopper;

use crate::{
    conversation::{
        callback::{ShopCallback, StaffCallback},
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        link::Link,
        screen::Button,
    },
    shopper::{
        account::{language::language_switch, phone, profile},
        catalogue::{browse::categories_screen, card},
        menu, orders,
    },
    texts::{l, t},
};

/// /start. Nothing is asked: a link leads where it points, and a new shopper sees the shop at once.
pub(crate) async fn start(ctx: Ctx, payload: String) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.update(|dialogue| dialogue.search = None);
    match Link::parse(&payload) {
        Some(Link::Product(id)) if ctx.is_new => card::open_first(ctx, id).await,
        Some(Link::Product(id)) => card::open(ctx, id).await,
        // The way back from CLICK's page. The links of staff's posts have a branch of their own in schema.rs.
        Some(Link::Order(id)) => orders::show(ctx, id).await,
        // The referrer was recorded by onboarding.
        Some(Link::Referral(_)) | None if ctx.is_new => welcome(ctx).await,
        Some(Link::Referral(_)) | None => menu::open(ctx).await,
    }
}

/// A greeting above the catalogue.
async fn welcome(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let snapshot = ctx.deps.catalogue().await?;
    let mut screen = categories_screen(language, snapshot.categories(), 0);
    screen.html = format!("{}\n\n{}", t!(language, "greeting", name = ctx.person.name), screen.html);
    let staff = ctx.role.map(|_| Button::callback(l!(language, "menu-staff"), StaffCallback::Panel));
    let languages = language_switch(language, |language| ShopCallback::StartIn { language });
    ctx.show(screen.row(staff).row(languages)).await
}

/// The same in another language.
pub(crate) async fn welcome_in(mut ctx: Ctx, language: Language) -> HandlerResult {
    set_language(&mut ctx, language).await?;
    welcome(ctx).await
}

/// The card that a link led a new shopper to, in another language.
pub(crate) async fn open_product_in(mut ctx: Ctx, (id, language): (ProductId, Language)) -> HandlerResult {
    set_language(&mut ctx, language).await?;
    card::open_first(ctx, id).await
}

/// A language was chosen in the profile.
pub(crate) async fn choose_language(mut ctx: Ctx, language: Language) -> HandlerResult {
    set_language(&mut ctx, language).await?;
    ctx.toast(l!(language, "language-set")).await?;
    profile::open(ctx).await
}

async fn set_language(ctx: &mut Ctx, language: Language) -> Result<(), PortError> {
    shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.language = Some(language)).await?;
    ctx.language = language;
    Ok(())
}

/// /phone, and the button in the profile.
pub(crate) async fn change_phone(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Phone);
    phone::ask(&ctx, t!(ctx.language, "phone-ask")).await
}

/// A message that came while a phone number was waited for.
pub(crate) async fn take_phone(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    if !ctx.text().is_some_and(phone::is_back_label) {
        match phone::read(&ctx) {
            Ok(phone) => {
                shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.phone = Some(phone.clone()))
                    .await?;
                // The next checkout begins with the new number.
                ctx.update(|dialogue| {
                    if let Some(draft) = &mut dialogue.draft {
                        draft.phone = None;
                    }
                });
                ctx.reply_without_keyboard(t!(language, "phone-kept", phone = phone.spaced())).await?;
                ctx.wait_for(Step::Idle);
            }
            Err(error) => return phone::ask(&ctx, error.text(language)).await,
        }
    }
    ctx.leave_step().await?;
    profile::open(ctx).await
}
