//! The tree of everything that the bot answers: one line a step, one function a step.
//!
//! `answer.rs` brings an [`Update`] and its [`Ctx`]; a tap brings its press, a message what was typed.

use teloxide::{
    dispatching::{UpdateFilterExt, UpdateHandler},
    dptree::{self, case},
    types::{CallbackQuery, Update},
    utils::command::BotCommands,
};

use crate::{
    ctx::{Ctx, Done, Trouble},
    dialogue::Step,
    press::{CataloguePress, Press, ShopPress, StaffPress},
    shopper::{
        acquaintance, card, cart, catalogue, checkout, help, inline, menu, orders, placing, profile, search,
        start, support,
    },
    staff::{
        self, StaffStep, broadcast,
        catalogue::{CatalogueStep, categories, category, edit, new_product, product, variant, variants},
        deeds, exchange, journal, members, panel, promo, promo_new, rights, statistics,
    },
    text::t,
};

pub(crate) type Tree = UpdateHandler<Trouble>;

#[derive(Debug, Clone, PartialEq, Eq, BotCommands)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With what a link put behind it.
    Start(String),
    Menu,
    Cancel,
    /// With or without words behind it.
    Search(String),
    Cart,
    Orders,
    Profile,
    Language,
    Phone,
    Help,
    /// The staff panel; to who has no role it is no command.
    Admin,
}

pub(crate) fn schema() -> Tree {
    dptree::entry()
        .branch(
            Update::filter_callback_query()
                .map(|query: CallbackQuery| query.data.as_deref().and_then(Press::parse))
                .branch(
                    dptree::filter_map(|press: Option<Press>| press)
                        .branch(shopper_taps())
                        .branch(staff_taps()),
                )
                .endpoint(stale),
        )
        .branch(
            Update::filter_message()
                .branch(dptree::filter_map(command).branch(commands()))
                .branch(dptree::filter_map_async(staff::support::replied).endpoint(staff::support::pass_on))
                .branch(dptree::filter_map(inline::picked).endpoint(card::open))
                .branch(dptree::map(|ctx: Ctx| ctx.dialogue.step).branch(answers())),
        )
        .branch(Update::filter_inline_query().endpoint(inline::answer))
        .branch(Update::filter_my_chat_member().endpoint(acquaintance::membership))
}

fn commands() -> Tree {
    dptree::entry()
        .branch(
            case![Command::Start(link)]
                .filter_map(staff::orders::linked)
                .endpoint(staff::orders::open_by_link),
        )
        .branch(case![Command::Start(link)].endpoint(start::start))
        .branch(case![Command::Menu].endpoint(menu::open))
        .branch(case![Command::Cancel].endpoint(menu::open))
        .branch(case![Command::Search(words)].endpoint(search::command))
        .branch(case![Command::Cart].endpoint(cart::open))
        .branch(case![Command::Orders].endpoint(orders::open_first_page))
        .branch(case![Command::Profile].endpoint(profile::open))
        .branch(case![Command::Language].endpoint(profile::choose_language))
        .branch(case![Command::Phone].endpoint(start::change_phone))
        .branch(case![Command::Help].endpoint(help::open))
        .branch(case![Command::Admin].filter(|ctx: Ctx| ctx.role.is_some()).endpoint(panel::open))
}

fn shopper_taps() -> Tree {
    case![Press::Shop(press)]
        .branch(case![ShopPress::Nothing].endpoint(nothing))
        .branch(case![ShopPress::Menu].endpoint(menu::open))
        .branch(catalogue_taps())
        .branch(person_taps())
        .branch(cart_taps())
        .branch(checkout_taps())
        .branch(order_taps())
        .branch(case![ShopPress::AskSupport].endpoint(support::ask))
}

fn catalogue_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::Categories { page }].endpoint(catalogue::categories))
        .branch(case![ShopPress::Category { id, page }].endpoint(catalogue::category))
        .branch(case![ShopPress::Product { id }].endpoint(card::open))
        .branch(case![ShopPress::Variant { product_id, article_id }].endpoint(card::open_variant))
        .branch(case![ShopPress::SetOnCard { article_id, count }].endpoint(card::set))
        .branch(case![ShopPress::Search].endpoint(search::ask))
        .branch(case![ShopPress::FoundPage { page }].endpoint(search::page))
}

fn person_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::Profile].endpoint(profile::open))
        .branch(case![ShopPress::Languages].endpoint(profile::choose_language))
        .branch(case![ShopPress::ChooseLanguage { language }].endpoint(start::choose_language))
        .branch(case![ShopPress::ChangePhone].endpoint(start::change_phone))
        .branch(case![ShopPress::Invite].endpoint(profile::invite))
        .branch(case![ShopPress::Help].endpoint(help::open))
}

fn cart_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::Cart].endpoint(cart::open))
        .branch(case![ShopPress::CartPage { page }].endpoint(cart::open_page))
        .branch(case![ShopPress::SetInCart { article_id, count }].endpoint(cart::set))
        .branch(case![ShopPress::ClearCart].endpoint(cart::ask_to_clear))
        .branch(case![ShopPress::ClearCartSurely].endpoint(cart::clear))
        .branch(case![ShopPress::AcceptNews].endpoint(cart::accept_news))
        .branch(case![ShopPress::AskPromo].endpoint(cart::ask_promo))
        .branch(case![ShopPress::DropPromo].endpoint(cart::drop_promo))
}

fn checkout_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::CheckOut].endpoint(checkout::begin))
        .branch(case![ShopPress::LeaveCheckout].endpoint(checkout::leave_checkout))
        .branch(case![ShopPress::PlaceOrder].endpoint(placing::place))
        // A screen of a checkout that is over is a stale one.
        .branch(dptree::filter(|ctx: Ctx| ctx.dialogue.draft.is_some()).branch(checkout_steps()))
}

fn checkout_steps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::CheckoutBack].endpoint(checkout::back))
        .branch(case![ShopPress::KeepPhone].endpoint(checkout::ask_delivery))
        .branch(case![ShopPress::Deliver].endpoint(checkout::ask_address))
        .branch(case![ShopPress::SamePlace].endpoint(checkout::same_place_again))
        .branch(case![ShopPress::Pickup].endpoint(checkout::pick_up))
        .branch(case![ShopPress::SkipLandmark].endpoint(checkout::ask_comment))
        .branch(case![ShopPress::SkipComment].endpoint(checkout::summarise))
}

fn order_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopPress::Orders { page }].endpoint(orders::open))
        .branch(case![ShopPress::OpenOrder { id }].endpoint(orders::show))
        .branch(case![ShopPress::CheckPayment { id }].endpoint(orders::check))
        .branch(case![ShopPress::CancelOrder { id }].endpoint(orders::ask_to_cancel))
        .branch(case![ShopPress::CancelOrderSurely { id }].endpoint(orders::cancel))
        .branch(case![ShopPress::OrderAgain { id }].endpoint(orders::again))
}

fn staff_taps() -> Tree {
    dptree::entry()
        // Everybody in the channel sees the buttons of its posts.
        .branch(
            dptree::filter(|ctx: Ctx, press: Press| ctx.role.is_none() && deeds::is_on_posts(&press))
                .endpoint(rights::refuse),
        )
        .branch(taps_of_staff())
}

/// To who has no role these are buttons like any that are no more.
fn taps_of_staff() -> Tree {
    dptree::filter(|ctx: Ctx, press: Press| ctx.role.is_some() && rights::of_press(&press).is_some())
        .branch(
            dptree::filter(|ctx: Ctx, press: Press| !rights::may_tap(&ctx, &press)).endpoint(rights::refuse),
        )
        .branch(
            case![Press::Staff(press)]
                .branch(case![StaffPress::Panel].endpoint(panel::open))
                .branch(staff_order_taps())
                .branch(broadcast_taps())
                .branch(statistics_taps())
                .branch(case![StaffPress::PromoCodes { page }].endpoint(promo::list))
                .branch(case![StaffPress::NewPromo].endpoint(promo_new::ask))
                .branch(case![StaffPress::Promo { code }].endpoint(promo::open))
                .branch(case![StaffPress::SwitchPromo { code, active }].endpoint(promo::switch))
                .branch(case![StaffPress::PromoUnbounded { field }].endpoint(promo_new::unbounded))
                .branch(case![StaffPress::AddPromo { code }].endpoint(promo_new::add))
                .branch(case![StaffPress::Members { page }].endpoint(members::list))
                .branch(case![StaffPress::Member { id }].endpoint(members::open))
                .branch(case![StaffPress::NewMember].endpoint(members::ask_new))
                .branch(case![StaffPress::SetRole { id, role }].endpoint(members::set_role))
                .branch(case![StaffPress::RemoveMember { id }].endpoint(members::ask_removal))
                .branch(case![StaffPress::RemoveMemberSurely { id }].endpoint(members::remove))
                .branch(case![StaffPress::Journal { page }].endpoint(journal::open)),
        )
        .branch(case![Press::Catalogue(press)].branch(edit_taps()))
}

fn edit_taps() -> Tree {
    dptree::entry()
        .branch(case![CataloguePress::Categories { page }].endpoint(categories::list))
        .branch(case![CataloguePress::Category { id, page }].endpoint(categories::open))
        .branch(case![CataloguePress::NewCategory].endpoint(category::ask_new))
        .branch(case![CataloguePress::CategorySettings { id }].endpoint(category::settings))
        .branch(case![CataloguePress::RenameCategory { id }].endpoint(category::ask_rename))
        .branch(case![CataloguePress::AskCategoryPhoto { id }].endpoint(category::ask_photo))
        .branch(case![CataloguePress::PlaceCategory { id, place }].endpoint(category::place))
        .branch(case![CataloguePress::HideCategory { id, hidden }].endpoint(category::hide))
        .branch(case![CataloguePress::RemoveCategory { id }].endpoint(category::ask_removal))
        .branch(case![CataloguePress::RemoveCategorySurely { id }].endpoint(category::remove))
        .branch(case![CataloguePress::NewProduct { category_id }].endpoint(new_product::ask))
        .branch(case![CataloguePress::AddProduct { id, hidden }].endpoint(new_product::add))
        .branch(case![CataloguePress::Product { id }].endpoint(product::open))
        .branch(case![CataloguePress::EditProduct { id, field }].endpoint(edit::ask))
        .branch(case![CataloguePress::LeaveEmpty { field }].endpoint(edit::leave_empty))
        .branch(case![CataloguePress::Fiscal { id }].endpoint(product::fiscal))
        .branch(case![CataloguePress::HideProduct { id, hidden }].endpoint(product::hide))
        .branch(case![CataloguePress::RemoveProduct { id }].endpoint(product::ask_removal))
        .branch(case![CataloguePress::RemoveProductSurely { id }].endpoint(product::remove))
        .branch(case![CataloguePress::MoveProduct { id, page }].endpoint(product::ask_category))
        .branch(case![CataloguePress::MoveProductTo { id, category_id }].endpoint(product::move_to))
        .branch(case![CataloguePress::Variants { id, page }].endpoint(variants::list))
        .branch(case![CataloguePress::NewVariant { product_id }].endpoint(variant::ask_new))
        .branch(case![CataloguePress::Variant { product_id, id }].endpoint(variants::open))
        .branch(case![CataloguePress::EditVariant { product_id, id, field }].endpoint(variant::ask))
        .branch(case![CataloguePress::RemoveVariant { product_id, id }].endpoint(variants::ask_removal))
        .branch(case![CataloguePress::RemoveVariantSurely { product_id, id }].endpoint(variants::remove))
        .branch(case![CataloguePress::Exchange].endpoint(exchange::open))
        .branch(case![CataloguePress::Export].endpoint(exchange::export))
        .branch(case![CataloguePress::AskImport].endpoint(exchange::ask_import))
        .branch(case![CataloguePress::Import].endpoint(exchange::import))
}

fn staff_order_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffPress::Do { id, deed }].endpoint(deeds::act))
        .branch(case![StaffPress::DoSurely { id, deed }].endpoint(deeds::act_surely))
        .branch(case![StaffPress::Order { id }].endpoint(deeds::open))
        .branch(case![StaffPress::Orders].endpoint(staff::orders::overview))
        .branch(case![StaffPress::OrdersIn { stage, page }].endpoint(staff::orders::in_one_stage))
        .branch(case![StaffPress::OrdersByPhone { phone, page }].endpoint(staff::orders::of_phone))
        .branch(case![StaffPress::FindOrder].endpoint(staff::orders::ask_what_to_find))
}

fn broadcast_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffPress::Broadcast].endpoint(broadcast::open))
        .branch(case![StaffPress::StartBroadcast { id, is_forward }].endpoint(broadcast::start))
        .branch(case![StaffPress::ShowBroadcast { id }].endpoint(broadcast::show))
        .branch(case![StaffPress::PauseBroadcast { id }].endpoint(broadcast::pause))
        .branch(case![StaffPress::ResumeBroadcast { id }].endpoint(broadcast::resume))
        .branch(case![StaffPress::StopBroadcast { id }].endpoint(broadcast::stop))
}

fn statistics_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffPress::Statistics { period }].endpoint(statistics::open))
        .branch(case![StaffPress::ExportStatistics { period }].endpoint(statistics::export))
}

fn answers() -> Tree {
    dptree::entry()
        .branch(case![Step::Idle].endpoint(search::typed))
        .branch(case![Step::Search].endpoint(search::typed))
        .branch(case![Step::Language { link }].endpoint(start::language_first))
        .branch(case![Step::Phone { is_first, link }].endpoint(start::phone_given))
        .branch(
            dptree::filter(|ctx: Ctx| ctx.text().is_some_and(|text| text.starts_with('/')))
                .endpoint(no_command),
        )
        .branch(case![Step::PromoCode].endpoint(cart::enter_promo))
        .branch(case![Step::CheckoutPhone].endpoint(checkout::take_phone))
        .branch(case![Step::Delivery].endpoint(checkout::take_address))
        .branch(case![Step::Address].endpoint(checkout::take_address))
        .branch(case![Step::Landmark].endpoint(checkout::take_landmark))
        .branch(case![Step::Comment].endpoint(checkout::take_comment))
        .branch(case![Step::Summary].endpoint(checkout::take_comment))
        .branch(case![Step::Support].endpoint(support::take))
        .branch(staff_answers())
        // Whoever writes where a button is waited for is shown the way on.
        .endpoint(menu::hint)
}

fn staff_answers() -> Tree {
    case![Step::Staff(step)]
        .branch(
            dptree::filter(|ctx: Ctx, step: StaffStep| !rights::may_answer(&ctx, &step)).endpoint(menu::open),
        )
        .branch(case![StaffStep::FindOrder].endpoint(staff::orders::find))
        .branch(case![StaffStep::BroadcastSource].endpoint(broadcast::take_source))
        .branch(case![StaffStep::Catalogue(step)].branch(edit_answers()))
        .branch(case![StaffStep::Promo(step)].endpoint(promo_new::answer))
        .branch(case![StaffStep::Members(step)].endpoint(members::answer))
}

fn edit_answers() -> Tree {
    dptree::entry()
        .branch(case![CatalogueStep::NewCategory { id }].endpoint(category::make))
        .branch(case![CatalogueStep::RenameCategory { id }].endpoint(category::rename))
        .branch(case![CatalogueStep::CategoryPhoto { id }].endpoint(category::take_photo))
        .branch(case![CatalogueStep::NewProduct { draft, asked }].endpoint(new_product::answer))
        .branch(case![CatalogueStep::EditProduct { id, field }].endpoint(edit::answer))
        .branch(case![CatalogueStep::NewVariant { product_id, draft, field }].endpoint(variant::answer_new))
        .branch(case![CatalogueStep::EditVariant { product_id, id, field }].endpoint(variant::answer))
        .branch(case![CatalogueStep::ImportFile].endpoint(exchange::answer))
        .branch(case![CatalogueStep::ImportPlan { file_id, plan }].endpoint(exchange::answer))
}

async fn stale(ctx: Ctx) -> Done {
    ctx.stale().await
}

/// A command that nobody knows is no answer to what was asked: that is still waited for.
async fn no_command(ctx: Ctx) -> Done {
    ctx.say(t!(ctx.language, "unknown-command")).await
}

/// A label was tapped.
async fn nothing(ctx: Ctx) -> Done {
    ctx.answer(None, false).await;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "dptree hands values over")]
fn command(ctx: Ctx) -> Option<Command> {
    Command::parse(ctx.text()?, ctx.deps.username()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_and_without_what_a_link_adds() {
        let read = |text| Command::parse(text, "shop_bot").ok();
        assert_eq!(read("/start"), Some(Command::Start(String::new())));
        assert_eq!(read("/start from_poster"), Some(Command::Start("from_poster".to_owned())));
        assert_eq!(read("/start@shop_bot"), Some(Command::Start(String::new())));
        assert_eq!(read("/search"), Some(Command::Search(String::new())));
        assert_eq!(read("/search choy qoshiq"), Some(Command::Search("choy qoshiq".to_owned())));
        assert_eq!(read("/other"), None);
        assert_eq!(read("salom"), None);
    }

    #[test]
    fn every_step_of_the_tree_finds_what_it_asks_for() {
        // It panics where a handler wants what no branch brings.
        let tree = schema();
        let brought = [dptree::Type::of::<Update>(), dptree::Type::of::<Ctx>()];
        dptree::type_check(tree.sig(), &dptree::deps![], &brought);
    }
}
