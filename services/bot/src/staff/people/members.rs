//! Members of staff: added, given another role, removed. Owners of ADMIN_IDS are shown, and cannot be changed here.

use teloxide::types::{Message, MessageOrigin};
use tolov_domain::{Language, UserId, ports::PortError};
use tolov_shop::{
    records, shopper,
    staff::{self, Action, MemberChange, Role, StaffMember},
};

use crate::{
    conversation::{
        callback::StaffCallback,
        context::Ctx,
        dialogue::{MemberStep, StaffStep, Step},
        error::HandlerResult,
        pages::Page,
        screen::{Button, Screen},
    },
    staff::{
        input,
        panel::{self, role_name},
        people::journal,
    },
    texts::{date_time, isolated, l, t},
};

const NAME_MAX_CHARS: usize = 64;

pub(crate) async fn list(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let members = staff::members(ctx.documents()).await?;
    ctx.show(list_screen(ctx.language, &ctx.deps.config.owners, &members, page)).await
}

fn list_screen(language: Language, owners: &[UserId], members: &[StaffMember], page: u32) -> Screen {
    let mut html = t!(language, "members-title");
    for owner in owners {
        html.push('\n');
        html.push_str(&t!(language, "members-owner", id = *owner));
    }
    if members.is_empty() {
        html.push_str("\n\n");
        html.push_str(&t!(language, "members-empty"));
    }
    let page = Page::of(members, page);
    let row = |member: &StaffMember| {
        let label = format!("{} · {}", member.name, role_name(language, member.role));
        vec![Button::callback(label, StaffCallback::Member { id: member.id })]
    };
    Screen::new(html)
        .rows(page.items.iter().map(row))
        .row(page.buttons(|page| StaffCallback::Members { page }))
        .row([Button::callback(l!(language, "member-add"), StaffCallback::NewMember)])
        .row(panel::back(language))
}

pub(crate) async fn open(ctx: Ctx, id: UserId) -> HandlerResult {
    ctx.wait_for(Step::Idle);
    let Some(member) = records::read::<StaffMember>(ctx.documents(), id.get()).await? else {
        ctx.toast(l!(ctx.language, "edit-catalogue-gone")).await?;
        return list(ctx, 0).await;
    };
    let language = ctx.language;
    let html = t!(
        language,
        "member-card",
        name = member.name,
        id = id,
        role = role_name(language, member.role),
        since = date_time(member.added_at)
    );
    let screen = Screen::new(html).row(role_buttons(language, id, Some(member.role))).row([
        Button::callback(l!(language, "edit-remove"), StaffCallback::RemoveMember { id }),
        Button::callback(l!(language, "edit-back"), StaffCallback::Members { page: 0 }),
    ]);
    ctx.show(screen).await
}

/// The roles; the current one is marked.
fn role_buttons(language: Language, id: UserId, has: Option<Role>) -> Vec<Button> {
    let button = |role| {
        let mark = if has == Some(role) { "✅ " } else { "" };
        Button::callback(format!("{mark}{}", role_name(language, role)), StaffCallback::SetRole { id, role })
    };
    Role::ALL.into_iter().map(button).collect()
}

pub(crate) async fn ask_new(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(MemberStep::Whom);
    ctx.show(ask_screen(ctx.language, None)).await
}

fn ask_screen(language: Language, wrong: Option<String>) -> Screen {
    let question = t!(language, "member-ask");
    Screen::new(wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}")))
        .row([Button::callback(l!(language, "edit-cancel"), StaffCallback::Members { page: 0 })])
}

/// The person that a message names.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Somebody(UserId, String),
    /// Forwarded from somebody whose account is hidden.
    Hidden,
    ABot,
    Nobody,
}

fn named(message: &Message) -> Named {
    let somebody = |id: u64, name: &str| {
        let id = i64::try_from(id).ok().and_then(|id| UserId::try_new(id).ok());
        let name: String = name.trim().chars().take(NAME_MAX_CHARS).collect();
        id.map_or(Named::Nobody, |id| {
            let name = if name.is_empty() { id.to_string() } else { name };
            Named::Somebody(id, name)
        })
    };
    match message.forward_origin() {
        Some(MessageOrigin::User { sender_user: user, .. }) if user.is_bot => return Named::ABot,
        Some(MessageOrigin::User { sender_user: user, .. }) => return somebody(user.id.0, &user.full_name()),
        Some(MessageOrigin::HiddenUser { .. }) => return Named::Hidden,
        Some(MessageOrigin::Chat { .. } | MessageOrigin::Channel { .. }) => return Named::Nobody,
        None => {}
    }
    if let Some(contact) = message.contact() {
        let name = format!("{} {}", contact.first_name, contact.last_name.as_deref().unwrap_or_default());
        return contact.user_id.map_or(Named::Hidden, |id| somebody(id.0, &name));
    }
    if let Some(user) = message.shared_users().and_then(|shared| shared.users.first()) {
        return somebody(user.user_id.0, user.first_name.as_deref().unwrap_or_default());
    }
    let typed = message.text().and_then(|text| input::digits(text, 5..=15));
    typed.and_then(|digits| digits.parse().ok()).map_or(Named::Nobody, |id| somebody(id, ""))
}

pub(crate) async fn answer(ctx: Ctx, step: MemberStep) -> HandlerResult {
    let language = ctx.language;
    let wrong = match ctx.message().map(named) {
        Some(Named::Somebody(id, name)) if !ctx.deps.config.owners.contains(&id) => {
            let is_number = name == id.to_string();
            let known = if is_number { name_in_shop(&ctx, id).await? } else { None };
            return ask_role(ctx, id, known.unwrap_or(name)).await;
        }
        Some(Named::Somebody(..)) => t!(language, "member-is-owner"),
        Some(Named::Hidden) => t!(language, "member-hidden"),
        Some(Named::ABot) => t!(language, "member-is-bot"),
        Some(Named::Nobody) | None => match step {
            // The role is chosen by a button.
            MemberStep::Role { id, name } => return ask_role(ctx, id, name).await,
            MemberStep::Whom => t!(language, "edit-not-understood"),
        },
    };
    ctx.show(ask_screen(language, Some(wrong))).await
}

/// The name of somebody who has written to the bot: a number alone tells staff nothing.
async fn name_in_shop(ctx: &Ctx, id: UserId) -> Result<Option<String>, PortError> {
    let shopper = shopper::shopper(ctx.documents(), id).await?;
    Ok(shopper.map(|shopper| shopper.name).filter(|name| !name.trim().is_empty()))
}

async fn ask_role(ctx: Ctx, id: UserId, name: String) -> HandlerResult {
    let there: Option<StaffMember> = records::read(ctx.documents(), id.get()).await?;
    let language = ctx.language;
    let screen = Screen::new(t!(language, "member-ask-role", name = &*isolated(&name), id = id))
        .row(role_buttons(language, id, there.map(|member| member.role)))
        .row([Button::callback(l!(language, "edit-cancel"), StaffCallback::Members { page: 0 })]);
    ctx.wait_for(MemberStep::Role { id, name });
    ctx.show(screen).await
}

pub(crate) async fn set_role(ctx: Ctx, (id, role): (UserId, Role)) -> HandlerResult {
    if let Some(refusal) = untouchable(&ctx, id) {
        return ctx.alert(refusal).await;
    }
    let changed = records::change(ctx.documents(), id.get(), |member: &mut StaffMember| {
        std::mem::replace(&mut member.role, role)
    });
    if let Some((member, was)) = changed.await? {
        if was != role {
            record(&ctx, &member, MemberChange::Role { was, now: role }).await?;
            tell(&ctx, id, role).await?;
        }
        return open(ctx, id).await;
    }
    let Step::Staff(StaffStep::Members(MemberStep::Role { id: chosen, name })) = ctx.step() else {
        return ctx.stale().await;
    };
    if chosen != id {
        return ctx.stale().await;
    }
    let member = StaffMember { id, name, role, added_by: ctx.id(), added_at: ctx.now() };
    if records::insert(ctx.documents(), &member).await?.is_applied() {
        record(&ctx, &member, MemberChange::Added { role }).await?;
        tell(&ctx, id, role).await?;
    }
    open(ctx, id).await
}

async fn record(ctx: &Ctx, member: &StaffMember, change: MemberChange) -> Result<(), PortError> {
    journal::record(ctx, Action::Member { user_id: member.id, name: member.name.clone(), change }).await
}

/// Owners of ADMIN_IDS cannot be changed here, and nobody can change themselves, so that nobody locks themselves out.
fn untouchable(ctx: &Ctx, id: UserId) -> Option<String> {
    if ctx.deps.config.owners.contains(&id) {
        return Some(l!(ctx.language, "member-is-owner"));
    }
    (id == ctx.id()).then(|| l!(ctx.language, "member-is-you"))
}

/// Tells a member the new role. Where that fails, because the member never wrote to the bot, the owner is told so.
async fn tell(ctx: &Ctx, id: UserId, role: Role) -> HandlerResult {
    let language = ctx.deps.language_of(id).await;
    let text = t!(language, "member-welcome", role = role_name(language, role));
    let screen =
        Screen::new(text).row([Button::callback(l!(language, "member-to-panel"), StaffCallback::Panel)]);
    match ctx.deps.send_to(id, &screen).await {
        Ok(_) => ctx.toast(l!(ctx.language, "member-told")).await,
        Err(error) => {
            tracing::info!(user.id = %id, %error, "a member of staff could not be told the new role");
            ctx.alert(l!(ctx.language, "member-not-told")).await
        }
    }
}

pub(crate) async fn ask_removal(ctx: Ctx, id: UserId) -> HandlerResult {
    let Some(member) = records::read::<StaffMember>(ctx.documents(), id.get()).await? else {
        return list(ctx, 0).await;
    };
    let language = ctx.language;
    let screen = Screen::new(t!(language, "member-ask-removal", name = member.name))
        .row([Button::callback(
            l!(language, "edit-remove-surely"),
            StaffCallback::RemoveMemberConfirmed { id },
        )])
        .row([Button::callback(l!(language, "edit-keep"), StaffCallback::Member { id })]);
    ctx.show(screen).await
}

pub(crate) async fn remove(ctx: Ctx, id: UserId) -> HandlerResult {
    if let Some(refusal) = untouchable(&ctx, id) {
        return ctx.alert(refusal).await;
    }
    if let Some(member) = records::remove::<StaffMember>(ctx.documents(), id.get()).await? {
        record(&ctx, &member, MemberChange::Removed { role: member.role }).await?;
        ctx.toast(l!(ctx.language, "edit-removed")).await?;
    }
    list(ctx, 0).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(extra: &Value) -> Message {
        let mut message = json!({
            "message_id": 1, "date": 1_700_000_000,
            "chat": { "id": 5, "type": "private", "first_name": "A" },
            "from": { "id": 5, "is_bot": false, "first_name": "A" },
        });
        let fields = message.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        serde_json::from_value(message).unwrap()
    }

    #[test]
    fn a_person_is_named_by_an_id_a_contact_or_a_forwarded_message() {
        let somebody = |id, name: &str| Named::Somebody(UserId::try_new(id).unwrap(), name.to_owned());
        assert_eq!(named(&message(&json!({ "text": "123456789" }))), somebody(123_456_789, "123456789"));
        assert_eq!(named(&message(&json!({ "text": "Dilnoza" }))), Named::Nobody);
        let contact = json!({ "phone_number": "998901234567", "first_name": "Dilnoza", "user_id": 77_777 });
        assert_eq!(named(&message(&json!({ "contact": contact }))), somebody(77_777, "Dilnoza"));
        let without_telegram = json!({ "phone_number": "998901234567", "first_name": "Dilnoza" });
        assert_eq!(named(&message(&json!({ "contact": without_telegram }))), Named::Hidden);
        let forwarded = |origin: Value| message(&json!({ "text": "salom", "forward_origin": origin }));
        let user = json!({ "id": 88_888, "is_bot": false, "first_name": "Ali", "last_name": "Valiyev" });
        let origin = json!({ "type": "user", "date": 1_700_000_000, "sender_user": user });
        assert_eq!(named(&forwarded(origin)), somebody(88_888, "Ali Valiyev"));
        let hidden = json!({ "type": "hidden_user", "date": 1_700_000_000, "sender_user_name": "Ali" });
        assert_eq!(named(&forwarded(hidden)), Named::Hidden);
    }

    #[test]
    fn owners_are_listed_without_a_button() {
        let owner = UserId::try_new(42).unwrap();
        let screen = list_screen(Language::Uz, &[owner], &[], 0);
        assert!(screen.html.contains("42"));
        assert_eq!(screen.markup().inline_keyboard.len(), 2);
    }
}
