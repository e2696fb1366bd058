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
staff-order-location = 📍 A point on the map
staff-order-landmark = Landmark: { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Open on the map
staff-order-late = ⚠️ <b>The money came late</b>: the order was closed by then. See whether the goods are still there.
staff-order-missing = ⚠️ <b>Not in stock any more:</b> { $title }, needed: { $count }
staff-order-give-back = 👉 Give the money back in CLICK's cabinet; then an owner presses "Money is back".
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · the shopper
staff-history-title = <b>History</b>
staff-history-event = { $time } event: { $what }
staff-history-note = { $time } { $what } { $detail } · { $who }

staff-stage-placing = being placed
staff-stage-waiting = waits for payment
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
deed-refund = 💸 Money is back
deed-sure-cancel = ❌ Yes, cancel it
deed-sure-refund = 💸 Yes, the money is back
deed-not-sure = ⬅️ No, go back
deed-ask-cancel = ❓ <b>Cancel order №{ $order }?</b>
deed-ask-refund = ❓ <b>Have you really given { $sum } for №{ $order } back in CLICK's cabinet?</b>

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

deed-not-allowed = This is not open to you. Ask the shop's owner for the right if you need it.
deed-already = This has been done already: { $who }, { $time }
deed-already-someone = This has been done already.
deed-toast = №{ $order }: { $what }
deed-give-back = №{ $order } is cancelled. Now give { $sum } back in CLICK's cabinet.
deed-paid-meanwhile = №{ $order } has just been paid, so it was not cancelled. Cancel it once more if that is right.

panel-orders = 📋 Orders
panel-broadcast = 📣 Broadcast
panel-statistics = 📊 Figures

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
staff-orders-ask = 🔎 Write the order's number, the shopper's phone or CLICK's payment number.
staff-orders-not-found = 😕 No order was found for "{ $text }". Write another number: of an order, a phone or a CLICK payment.
staff-orders-back = ⬅️ Orders
staff-orders-gone = There is no order №{ $order } in this shop.
