# An order as staff see it: the post in the channel and the card in a private chat.
staff-order-title = 🛒 <b>Order #{ $order }</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
staff-order-shopper-unknown = 👤 { $shopper }
staff-order-goods = Goods: { $sum }
staff-order-discount = Discount ({ $code }): −{ $sum }
staff-order-delivery = Delivery: { $sum }
staff-order-total = Total: <b>{ $sum }</b>
staff-order-payment = CLICK payment number: <code>{ $payment }</code>
staff-order-pickup = 🏬 The customer picks it up
staff-order-address = 📍 { $address }
staff-order-location = 📍 Place on the map
staff-order-landmark = 🏠 { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Open on the map
staff-order-late = ⚠️ <b>The money came late</b>: the order was closed by then. Check whether the goods are still there.
staff-order-missing = ⚠️ <b>Short in stock:</b> { $title }, needed: { $count }
staff-order-missing-amount = ⚠️ <b>Not enough in stock:</b> { $title }, needed: { $amount }
staff-order-give-back = 👉 Give the money back with “Give back” or in CLICK’s merchant cabinet. If it was given back in the cabinet or by a transfer, an owner presses “Given back by hand”.
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · the customer
staff-history-title = <b>History</b>

event-payment-cancelled = CLICK cancelled the payment
event-payment-questioned = the payment needs checking

staff-stage-placing = Being placed
staff-stage-waiting = Waiting for payment
staff-stage-paid = Paid
staff-stage-preparing = Being packed
staff-stage-ready = Ready
staff-stage-on-the-way = On the way
staff-stage-delivered = Delivered
staff-stage-picked-up = Handed over
staff-stage-cancelled = Cancelled
staff-stage-expired = Expired
staff-stage-refunded = Refunded

action-accept = ✅ Accept
action-make-ready = 📦 Ready
action-send-off = 🚚 On the way
action-deliver = 🏁 Delivered
action-hand-over = 🏁 Picked up
action-cancel = ❌ Cancel
action-refund = ✅ Given back by hand
action-sure-cancel = ❌ Yes, cancel it
action-sure-refund = 💸 Yes, refunded
action-not-sure = ⬅️ No, go back
action-ask-cancel = ❓ <b>Cancel order #{ $order }?</b>

action-done-placed = placed
action-done-registered = ready to be paid
action-done-paid = paid
action-done-accepted = accepted
action-done-made-ready = ready
action-done-sent-off = sent out
action-done-delivered = delivered
action-done-picked-up = handed over
action-done-cancelled = cancelled
action-done-expired = expired
action-done-refunded = refunded

action-not-allowed = You don’t have the right to do this. If you need it, ask the shop’s owner.
action-already = This has already been done: { $who }, { $time }
action-already-someone = This has already been done.
action-toast = #{ $order }: { $what }
action-give-back = #{ $order } has been cancelled. Now give { $sum } back: with “Give back” or in CLICK’s merchant cabinet.
action-paid-meanwhile = #{ $order } has just been paid, so it was not cancelled. If needed, cancel it once more.

panel-orders = 📋 Orders
panel-broadcast = 📣 Broadcast
panel-statistics = 📊 Statistics

staff-orders-title = 📋 <b>Orders</b>
    Choose a stage, or find an order.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Find
staff-orders-in = 📋 <b>Orders · { $stage }</b> · { $count }
staff-orders-in-past = 📋 <b>Orders · { $stage }</b>
staff-orders-of = 📋 <b>Orders of { $phone }</b> · { $count }
staff-orders-found = 🔎 <b>Several orders were found</b>
staff-orders-none = There are no orders here yet.
staff-orders-row = #{ $order } · { $sum } · { $time }
staff-orders-row-stage = #{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Write the order number, the customer’s phone or the CLICK payment number.
staff-orders-no-text = 🤔 Write the number as text.
staff-orders-not-found = 😕 No order was found for “{ $text }”. Write another number: an order, a phone or a CLICK payment.
staff-orders-back = ⬅️ Orders
staff-orders-gone = There is no order #{ $order } in this shop.
