# Members of staff.
members-title = 👥 <b>Staff</b>
members-owner = 👑 <a href="tg://user?id={ $id }">{ $id }</a> — owner (in the settings)
members-empty = Nobody else yet.
member-add = ➕ Add somebody
member-card = 👤 <a href="tg://user?id={ $id }">{ $name }</a>
    <code>{ $id }</code> · { $role }
    Added: { $since }

    Change the role:
member-ask = 👤 <b>New member of staff</b>

    Forward one of their messages here, send their contact, or write their Telegram ID.
member-hidden = 🤔 Telegram did not say who that is (privacy settings, or a contact without Telegram). Write their Telegram ID.
member-is-bot = 🤖 That is a bot. Only people can be staff.
member-is-owner = 👑 This is an owner of the shop (ADMIN_IDS): that is not changed here.
member-is-you = This is you. Only another owner can change your role.
member-ask-role = 👤 <b>{ $name }</b> (<code>{ $id }</code>)

    What will their role be?
    • owner — everything, staff and refunds included
    • manager — catalogue, orders, broadcasts, statistics
    • courier — orders on their way
member-welcome = 👋 You are on the shop’s staff: <b>{ $role }</b>.
    /admin opens the panel.
member-to-panel = 🛠 Open the panel
member-told = ✅ Done, they have been told
member-not-told = Saved, but I couldn’t write to them. Ask them to open the bot and press /start.
member-ask-removal = Remove <b>{ $name }</b> from the staff?
