# An order as staff see it: the post in the channel and the card in a private chat.
staff-order-title = 🛒 <b>Order №{ $order }</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
staff-order-goods = Goods: { $sum }
staff-order-discount = Discount ({ $code }): −{ $sum }
staff-order-delivery = Delivery: { $sum }
staff-order-total = Total: <b>{ $sum }</b>
staff-order-payment = CLICK payment number: <code>{ $payment }</code>
staff-order-pickup = 🏬 The shopper picks it up
staff-order-address = 📍 { $address }
staff-order-location = 📍 Place on the map
staff-order-landmark = 🏠 { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Open on the map
staff-order-late = ⚠️ <b>The money came late</b>: the order was closed by then. Check whether the goods are still there.
staff-order-missing = ⚠️ <b>Short in stock:</b> { $title }, needed: { $count }
staff-order-give-back = 👉 Refund the money in CLICK's merchant cabinet; then an owner presses “Refunded”.
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · the shopper
staff-history-title = <b>History</b>
staff-history-note = { $time } { $what } { $detail } · { $who }

event-payment-completed = payment confirmed
event-payment-cancelled = CLICK cancelled the payment
event-payment-questioned = the payment needs a look
event-order-expired = the time to pay ran out

staff-stage-placing = being placed
staff-stage-waiting = waiting for payment
staff-stage-paid = paid
staff-stage-preparing = being prepared
staff-stage-ready = ready
staff-stage-on-the-way = on the way
staff-stage-delivered = delivered
staff-stage-cancelled = cancelled
staff-stage-expired = expired
staff-stage-refunded = refunded

deed-accept = ✅ Accept
deed-make-ready = 📦 Ready
deed-send-off = 🚚 On the way
deed-deliver = 🏁 Delivered
deed-cancel = ❌ Cancel
deed-refund = 💸 Refunded
deed-sure-cancel = ❌ Yes, cancel it
deed-sure-refund = 💸 Yes, refunded
deed-not-sure = ⬅️ No, go back
deed-ask-cancel = ❓ <b>Cancel order №{ $order }?</b>
deed-ask-refund = ❓ <b>Has { $sum } for №{ $order } really been refunded in CLICK's merchant cabinet?</b>

deed-done-placed = placed
deed-done-registered = can be paid
deed-done-paid = paid
deed-done-accepted = accepted
deed-done-made-ready = ready
deed-done-sent-off = sent off
deed-done-delivered = delivered
deed-done-cancelled = cancelled
deed-done-expired = expired
deed-done-refunded = refunded

deed-not-allowed = You don't have the right to do this. If you need it, ask the shop's owner.
deed-already = This has already been done: { $who }, { $time }
deed-already-someone = This has already been done.
deed-toast = №{ $order }: { $what }
deed-give-back = №{ $order } has been cancelled. Now refund { $sum } in CLICK's merchant cabinet.
deed-paid-meanwhile = №{ $order } has just been paid, so it was not cancelled. If needed, cancel it once more.

panel-orders = 📋 Orders
panel-broadcast = 📣 Broadcast
panel-statistics = 📊 Statistics

staff-orders-title = 📋 <b>Orders</b>
    Choose a stage, or find an order.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Find
staff-orders-in = 📋 <b>Orders: { $stage }</b> · { $count }
staff-orders-of = 📋 <b>Orders of { $phone }</b> · { $count }
staff-orders-found = 🔎 <b>Several orders were found</b>
staff-orders-none = There are no orders here yet.
staff-orders-row = №{ $order } · { $sum } · { $time }
staff-orders-row-stage = №{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Write the order number, the shopper's phone or the CLICK payment number.
staff-orders-no-text = 🤔 A number is needed here, as text.
staff-orders-not-found = 😕 No order was found for “{ $text }”. Write another number: an order, a phone or a CLICK payment.
staff-orders-back = ⬅️ Orders
staff-orders-gone = There is no order №{ $order } in this shop.
