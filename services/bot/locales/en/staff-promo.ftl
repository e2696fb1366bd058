# Promo codes.
edit-promos-empty = 🎟 <b>Promo codes</b>
    None yet.
edit-promos-title = 🎟 <b>Promo codes</b>: { $count }
    Code · discount · times used
edit-promo-add = ➕ Add a promo code
edit-promo-switch-on = ▶️ Switch on
edit-promo-switch-off = ⏸ Switch off
edit-promo-any-goods = any amount
edit-promo-for-ever = no end date
edit-promo-unbounded = no limit (at most { $count })
edit-promo-choose-any-goods = Any amount
edit-promo-choose-for-ever = No end date
edit-promo-choose-unbounded = No limit (up to { $count })
edit-promo-is-on = ✅ Active
edit-promo-is-off = ⏸ Switched off
edit-promo-is-over = ⌛ Expired
edit-promo-card = 🎟 <code>{ $code }</code> · <b>{ $off }</b>
    { $state }

    Minimum purchase: { $goods }
    Used: { $used } / { $uses }
    Per customer: { $shopper }
    Last day: { $until }
edit-promo-ask-code = 🎟 <b>New promo code</b>

    Write the code: Latin letters, digits, - and _ (at most { $count } characters). For example: SUMMER2027
edit-promo-ask-off = 🎟 <code>{ $code }</code>

    How much off? Write a percentage (10%, at most 99%) or an amount in UZS (20 000).
edit-promo-ask-goods = 🎟 <code>{ $code }</code>

    What is the minimum purchase, in UZS? For example: 100 000
edit-promo-ask-uses = 🎟 <code>{ $code }</code>

    How many times can it be used in total? A number from 1 to { $count }.
edit-promo-ask-shopper = 🎟 <code>{ $code }</code>

    How many times can one customer use it? Usually 1.
edit-promo-ask-until = 🎟 <code>{ $code }</code>

    The last day? As dd.mm.yyyy, today or later. For example: 31.12.2027
edit-promo-review = Is everything right?
edit-promo-make = ✅ Create
edit-promo-there = The code { $code } already exists
