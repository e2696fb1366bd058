//! The routing of updates: every step of every conversation, a line and a handler each.
//!
//! `answer.rs` injects an [`Update`] and its [`Ctx`]; a tap adds its [`CallbackData`], a message its command or step.

use teloxide::{
    dispatching::{UpdateFilterExt, UpdateHandler},
    dptree::{self, case},
    types::{CallbackQuery, Update},
    utils::command::BotCommands,
};

use crate::{
    conversation::{
        callback::{CallbackData, CatalogueCallback, ShopCallback, StaffCallback},
        command::Command,
        context::Ctx,
        dialogue::{CatalogueStep, StaffStep, Step},
        error::{HandlerError, HandlerResult},
    },
    invoices::{bills, offer},
    shopper::{
        account::{onboarding, profile, start},
        cart,
        catalogue::{browse, card, inline, quantity, search},
        checkout::{place, steps, waiting},
        help, menu, orders, support,
    },
    staff::{
        catalogue::{categories, category, edit, exchange, new_product, product, variant, variants},
        marketing::{broadcast, new_promo, promo, statistics},
        orders::{accept, actions, list, missing, refund, trace},
        panel,
        people::{journal, members, support as staff_support, support_albums},
        rights,
    },
    texts::t,
};

pub(crate) type Tree = UpdateHandler<HandlerError>;

pub(crate) fn schema() -> Tree {
    dptree::entry()
        .branch(
            Update::filter_callback_query()
                .map(|query: CallbackQuery| query.data.as_deref().and_then(CallbackData::parse))
                .branch(
                    dptree::filter_map(|callback: Option<CallbackData>| callback)
                        .branch(shopper_taps())
                        .branch(staff_taps()),
                )
                .endpoint(stale),
        )
        .branch(
            Update::filter_message()
                .branch(dptree::filter_map(command).branch(commands()))
                .branch(dptree::filter_map(support_albums::part).endpoint(support_albums::take_part))
                .branch(dptree::filter_map(edit::photo_of_album).endpoint(edit::add_photo))
                .branch(dptree::filter_map_async(staff_support::replied).endpoint(staff_support::pass_on))
                .branch(dptree::filter_map(inline::picked).endpoint(card::open))
                .branch(dptree::map(|ctx: Ctx| ctx.step()).branch(answers())),
        )
        .branch(Update::filter_inline_query().endpoint(inline::answer))
        .branch(Update::filter_my_chat_member().endpoint(onboarding::record_membership))
}

fn commands() -> Tree {
    dptree::entry()
        .branch(case![Command::Start(link)].filter_map(list::linked).endpoint(list::open_by_link))
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
        .branch(case![Command::Support].endpoint(support::ask))
        .branch(case![Command::Terms].endpoint(help::terms))
        .branch(case![Command::Admin].filter(|ctx: Ctx| ctx.role.is_some()).endpoint(panel::open))
        .branch(
            case![Command::Trace(order)].filter(|ctx: Ctx| trace::is_shown_to(&ctx)).endpoint(trace::show),
        )
}

fn shopper_taps() -> Tree {
    case![CallbackData::Shop(callback)]
        .branch(case![ShopCallback::Nothing].endpoint(nothing))
        .branch(case![ShopCallback::Menu].endpoint(menu::open))
        .branch(catalogue_taps())
        .branch(person_taps())
        .branch(cart_taps())
        .branch(checkout_taps())
        .branch(order_taps())
        .branch(case![ShopCallback::AskSupport].endpoint(support::ask))
        .branch(case![ShopCallback::ReplyToStaff].endpoint(support::ask_below))
}

fn catalogue_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::Categories { page }].endpoint(browse::categories))
        .branch(case![ShopCallback::Category { id, page }].endpoint(browse::category))
        .branch(case![ShopCallback::PageOf { product_id }].endpoint(browse::page_of))
        .branch(case![ShopCallback::Product { id }].endpoint(card::open))
        .branch(case![ShopCallback::Variant { product_id, article_id }].endpoint(card::open_variant))
        .branch(case![ShopCallback::Photo { product_id, article_id, photo }].endpoint(card::open_photo))
        .branch(case![ShopCallback::ProductIn { id, language }].endpoint(start::open_product_in))
        .branch(case![ShopCallback::SetOnCard { article_id, count }].endpoint(card::set))
        .branch(case![ShopCallback::AskQuantity { article_id }].endpoint(quantity::ask))
        .branch(case![ShopCallback::Search].endpoint(search::ask))
        .branch(case![ShopCallback::FoundPage { page }].endpoint(search::page))
}

fn person_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::Profile].endpoint(profile::open))
        .branch(case![ShopCallback::Languages].endpoint(profile::choose_language))
        .branch(case![ShopCallback::ChooseLanguage { language }].endpoint(start::choose_language))
        .branch(case![ShopCallback::StartIn { language }].endpoint(start::welcome_in))
        .branch(case![ShopCallback::ChangePhone].endpoint(start::change_phone))
        .branch(case![ShopCallback::Invite].endpoint(profile::invite))
        .branch(case![ShopCallback::Help].endpoint(help::open))
}

fn cart_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::Cart].endpoint(|ctx: Ctx| cart::open_page(ctx, 0)))
        .branch(case![ShopCallback::CartPage { page }].endpoint(cart::open_page))
        .branch(case![ShopCallback::SetInCart { article_id, count }].endpoint(cart::set))
        .branch(case![ShopCallback::ClearCart].endpoint(cart::ask_to_clear))
        .branch(case![ShopCallback::ClearCartConfirmed].endpoint(cart::clear))
        .branch(case![ShopCallback::AcceptNews].endpoint(cart::accept_news))
        .branch(case![ShopCallback::AskPromo].endpoint(cart::ask_promo))
        .branch(case![ShopCallback::DropPromo].endpoint(cart::drop_promo))
}

fn checkout_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::CheckOut].endpoint(steps::begin))
        .branch(case![ShopCallback::LeaveCheckout].endpoint(cart::open))
        .branch(case![ShopCallback::PlaceOrder].endpoint(place::place))
        .branch(case![ShopCallback::ReplaceOrder { id }].endpoint(waiting::replace))
        // The buttons of a checkout that is over are stale.
        .branch(
            dptree::filter(|ctx: Ctx| ctx.draft().is_some() && ctx.step().is_in_checkout())
                .branch(checkout_steps()),
        )
}

fn checkout_steps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::CheckoutBack].endpoint(steps::go_on))
        .branch(case![ShopCallback::Deliver].endpoint(steps::deliver))
        .branch(case![ShopCallback::Pickup].endpoint(steps::pick_up))
        .branch(case![ShopCallback::ChangeOrderPhone].endpoint(steps::ask_phone))
        .branch(case![ShopCallback::ChangeAddress].endpoint(steps::ask_address))
        .branch(case![ShopCallback::ChangeLandmark].endpoint(steps::ask_landmark))
        .branch(case![ShopCallback::ChangeComment].endpoint(steps::ask_comment))
        .branch(case![ShopCallback::RemoveComment].endpoint(steps::remove_comment))
}

fn order_taps() -> Tree {
    dptree::entry()
        .branch(case![ShopCallback::Orders { page }].endpoint(orders::open))
        .branch(case![ShopCallback::OpenOrder { id }].endpoint(orders::show))
        .branch(case![ShopCallback::CheckPayment { id }].endpoint(orders::check))
        .branch(case![ShopCallback::BillToPhone { id }].endpoint(bills::ask))
        .branch(case![ShopCallback::PayInTelegram { id }].endpoint(offer::send))
        .branch(case![ShopCallback::CancelOrder { id }].endpoint(orders::ask_to_cancel))
        .branch(case![ShopCallback::CancelOrderConfirmed { id }].endpoint(orders::cancel))
        .branch(case![ShopCallback::OrderAgain { id }].endpoint(orders::order_again))
}

fn staff_taps() -> Tree {
    dptree::entry()
        // Everybody in the channel sees the buttons of its posts, also people without a role.
        .branch(
            dptree::filter(|ctx: Ctx, callback: CallbackData| {
                ctx.role.is_none() && actions::is_on_posts(&callback)
            })
            .endpoint(rights::refuse),
        )
        .branch(taps_of_staff())
}

/// For people without a role these buttons are stale.
fn taps_of_staff() -> Tree {
    dptree::filter(|ctx: Ctx, callback: CallbackData| {
        ctx.role.is_some() && rights::of_callback(&callback).is_some()
    })
    .branch(
        dptree::filter(|ctx: Ctx, callback: CallbackData| !rights::may_tap(&ctx, &callback))
            .endpoint(rights::refuse),
    )
    .branch(
        case![CallbackData::Staff(callback)]
            .branch(case![StaffCallback::Panel].endpoint(panel::open))
            .branch(staff_order_taps())
            .branch(broadcast_taps())
            .branch(statistics_taps())
            .branch(case![StaffCallback::PromoCodes { page }].endpoint(promo::list))
            .branch(case![StaffCallback::NewPromo].endpoint(new_promo::ask))
            .branch(case![StaffCallback::Promo { code }].endpoint(promo::open))
            .branch(case![StaffCallback::SwitchPromo { code, active }].endpoint(promo::switch))
            .branch(case![StaffCallback::PromoUnbounded { field }].endpoint(new_promo::unbounded))
            .branch(case![StaffCallback::AddPromo { code }].endpoint(new_promo::add))
            .branch(case![StaffCallback::Members { page }].endpoint(members::list))
            .branch(case![StaffCallback::Member { id }].endpoint(members::open))
            .branch(case![StaffCallback::NewMember].endpoint(members::ask_new))
            .branch(case![StaffCallback::SetRole { id, role }].endpoint(members::set_role))
            .branch(case![StaffCallback::RemoveMember { id }].endpoint(members::ask_removal))
            .branch(case![StaffCallback::RemoveMemberConfirmed { id }].endpoint(members::remove))
            .branch(case![StaffCallback::Journal { page }].endpoint(journal::open))
            .branch(case![StaffCallback::AnswerShopper].endpoint(staff_support::ask)),
    )
    .branch(case![CallbackData::Catalogue(callback)].branch(edit_taps()))
}

fn edit_taps() -> Tree {
    dptree::entry()
        .branch(case![CatalogueCallback::Categories { page }].endpoint(categories::list))
        .branch(case![CatalogueCallback::Category { id, page }].endpoint(categories::open))
        .branch(case![CatalogueCallback::NewCategory].endpoint(category::ask_new))
        .branch(case![CatalogueCallback::CategorySettings { id }].endpoint(category::settings))
        .branch(case![CatalogueCallback::RenameCategory { id }].endpoint(category::ask_rename))
        .branch(case![CatalogueCallback::AskCategoryPhoto { id }].endpoint(category::ask_photo))
        .branch(case![CatalogueCallback::PlaceCategory { id, place }].endpoint(category::place))
        .branch(case![CatalogueCallback::HideCategory { id, hidden }].endpoint(category::hide))
        .branch(case![CatalogueCallback::RemoveCategory { id }].endpoint(category::ask_removal))
        .branch(case![CatalogueCallback::RemoveCategoryConfirmed { id }].endpoint(category::remove))
        .branch(case![CatalogueCallback::NewProduct { category_id }].endpoint(new_product::ask))
        .branch(case![CatalogueCallback::AddProduct { id, hidden }].endpoint(new_product::add))
        .branch(case![CatalogueCallback::Product { id }].endpoint(product::open))
        .branch(case![CatalogueCallback::EditProduct { id, field }].endpoint(edit::ask))
        .branch(case![CatalogueCallback::LeaveEmpty { field }].endpoint(edit::leave_empty))
        .branch(case![CatalogueCallback::Fiscal { id }].endpoint(product::fiscal))
        .branch(case![CatalogueCallback::HideProduct { id, hidden }].endpoint(product::hide))
        .branch(case![CatalogueCallback::RemoveProduct { id }].endpoint(product::ask_removal))
        .branch(case![CatalogueCallback::RemoveProductConfirmed { id }].endpoint(product::remove))
        .branch(case![CatalogueCallback::MoveProduct { id, page }].endpoint(product::ask_category))
        .branch(case![CatalogueCallback::MoveProductTo { id, category_id }].endpoint(product::move_to))
        .branch(case![CatalogueCallback::Variants { id, page }].endpoint(variants::list))
        .branch(case![CatalogueCallback::NewVariant { product_id }].endpoint(variant::ask_new))
        .branch(case![CatalogueCallback::Variant { product_id, id }].endpoint(variants::open))
        .branch(case![CatalogueCallback::EditVariant { product_id, id, field }].endpoint(variant::ask))
        .branch(case![CatalogueCallback::RemoveVariant { product_id, id }].endpoint(variants::ask_removal))
        .branch(
            case![CatalogueCallback::RemoveVariantConfirmed { product_id, id }].endpoint(variants::remove),
        )
        .branch(case![CatalogueCallback::Exchange].endpoint(exchange::open))
        .branch(case![CatalogueCallback::Export].endpoint(exchange::export))
        .branch(case![CatalogueCallback::AskImport].endpoint(exchange::ask_import))
        .branch(case![CatalogueCallback::Import].endpoint(exchange::import))
}

fn staff_order_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffCallback::Act { id, action }].endpoint(actions::act))
        .branch(case![StaffCallback::ActConfirmed { id, action }].endpoint(actions::act_confirmed))
        .branch(case![StaffCallback::Order { id }].endpoint(actions::open))
        .branch(case![StaffCallback::Missing { id, choice }].endpoint(missing::decide))
        .branch(case![StaffCallback::AcceptPayment { id, prepare_id }].endpoint(accept::accept))
        .branch(refund_taps())
        .branch(case![StaffCallback::Orders].endpoint(list::overview))
        .branch(case![StaffCallback::OrdersIn { stage, page }].endpoint(list::in_one_stage))
        .branch(case![StaffCallback::OrdersByPhone { phone, page }].endpoint(list::of_phone))
        .branch(case![StaffCallback::FindOrder].endpoint(list::ask_what_to_find))
}

fn refund_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffCallback::Refund { id }].endpoint(refund::open))
        .branch(case![StaffCallback::RefundLines { id }].endpoint(refund::choose))
        .branch(case![StaffCallback::RefundCount { id, product_id, count }].endpoint(refund::count))
        .branch(case![StaffCallback::RefundAsk { id, part, restock }].endpoint(refund::ask))
        .branch(
            case![StaffCallback::RefundConfirmed { id, part, restock, sum, seen }].endpoint(refund::confirm),
        )
        .branch(case![StaffCallback::RefundDecide { id, refund_id, decision }].endpoint(refund::ask_decision))
        .branch(case![StaffCallback::RefundDecided { id, refund_id, decision }].endpoint(refund::decide))
}

fn broadcast_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffCallback::Broadcast].endpoint(broadcast::open))
        .branch(case![StaffCallback::StartBroadcast { id, is_forward }].endpoint(broadcast::start))
        .branch(case![StaffCallback::ShowBroadcast { id }].endpoint(broadcast::show))
        .branch(case![StaffCallback::PauseBroadcast { id }].endpoint(broadcast::pause))
        .branch(case![StaffCallback::ResumeBroadcast { id }].endpoint(broadcast::resume))
        .branch(case![StaffCallback::StopBroadcast { id }].endpoint(broadcast::stop))
}

fn statistics_taps() -> Tree {
    dptree::entry()
        .branch(case![StaffCallback::Statistics { period }].endpoint(statistics::open))
        .branch(case![StaffCallback::ExportStatistics { period }].endpoint(statistics::export))
}

fn answers() -> Tree {
    dptree::entry()
        .branch(case![Step::Idle].endpoint(search::typed))
        .branch(case![Step::Search].endpoint(search::typed))
        .branch(case![Step::Phone].endpoint(start::take_phone))
        .branch(
            dptree::filter(|ctx: Ctx| ctx.text().is_some_and(|text| text.starts_with('/')))
                .endpoint(no_command),
        )
        .branch(case![Step::Quantity { article_id }].endpoint(quantity::take))
        .branch(case![Step::PromoCode].endpoint(cart::enter_promo))
        .branch(case![Step::CheckoutPhone].endpoint(steps::take_phone))
        .branch(case![Step::Address].endpoint(steps::take_address))
        .branch(case![Step::Landmark].endpoint(steps::take_landmark))
        .branch(case![Step::Comment].endpoint(steps::take_comment))
        .branch(case![Step::Review].endpoint(steps::take_comment))
        .branch(case![Step::Support].endpoint(support::take))
        .branch(staff_answers())
        // A message where a button is waited for.
        .endpoint(menu::hint)
}

fn staff_answers() -> Tree {
    case![Step::Staff(step)]
        .branch(
            dptree::filter(|ctx: Ctx, step: StaffStep| !rights::may_answer(&ctx, &step)).endpoint(menu::open),
        )
        .branch(case![StaffStep::FindOrder].endpoint(list::find))
        .branch(case![StaffStep::RefundDocument { order_id, refund_id }].endpoint(refund::take_document))
        .branch(case![StaffStep::BroadcastSource].endpoint(broadcast::take_source))
        .branch(case![StaffStep::BroadcastAlbum { id, media_group_id }].endpoint(broadcast::take_part))
        .branch(case![StaffStep::SupportAnswer { header_id }].endpoint(staff_support::take_answer))
        .branch(case![StaffStep::Catalogue(step)].branch(edit_answers()))
        .branch(case![StaffStep::Promo(step)].endpoint(new_promo::answer))
        .branch(case![StaffStep::Members(step)].endpoint(members::answer))
}

fn edit_answers() -> Tree {
    dptree::entry()
        .branch(case![CatalogueStep::NewCategory { id }].endpoint(category::add))
        .branch(case![CatalogueStep::RenameCategory { id }].endpoint(category::rename))
        .branch(case![CatalogueStep::CategoryPhoto { id }].endpoint(category::take_photo))
        .branch(case![CatalogueStep::NewProduct { draft, asked }].endpoint(new_product::answer))
        .branch(case![CatalogueStep::EditProduct { id, field }].endpoint(edit::answer))
        .branch(case![CatalogueStep::NewVariant { product_id, draft, field }].endpoint(variant::answer_new))
        .branch(case![CatalogueStep::EditVariant { product_id, id, field }].endpoint(variant::answer))
        .branch(case![CatalogueStep::ImportFile].endpoint(exchange::answer))
}

async fn stale(ctx: Ctx) -> HandlerResult {
    ctx.stale().await
}

/// An unknown command does not answer the question, which stays open.
async fn no_command(ctx: Ctx) -> HandlerResult {
    ctx.reply(t!(ctx.language, "unknown-command")).await
}

/// The tap on a label.
async fn nothing(ctx: Ctx) -> HandlerResult {
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
    fn commands_are_read_with_and_without_the_bots_name() {
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
    fn every_handler_gets_the_arguments_it_declares() {
        // It panics where a handler wants what no branch injects.
        let tree = schema();
        let brought = [dptree::Type::of::<Update>(), dptree::Type::of::<Ctx>()];
        dptree::type_check(tree.sig(), &dptree::deps![], &brought);
    }
}
