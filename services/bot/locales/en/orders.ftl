order-title = 📦 <b>Order #{ $order }</b>
order-pay = 💳 Pay with CLICK · { $total }
order-check = 🔄 Check payment
order-cancel = ❌ Cancel
order-again = 🔁 Order again
orders-title = 📦 <b>Your orders</b>
orders-empty = 📦 You have no orders yet.
state-placing = ⏳ Being placed
state-waiting = ⏳ Waiting for payment
state-waiting-until = ⏳ Waiting for payment: { $left } left (until { $until })
state-paid = ✅ Paid
state-preparing = 📦 Being packed
state-ready = 📦 Ready
state-on-the-way = 🚚 On the way
state-delivered = 🎉 Delivered
state-picked-up = 🎉 Picked up
state-cancelled = ❌ Cancelled
state-expired = ⌛ Expired
state-refunded = ↩️ Refunded
left-moment = less than a minute
left-minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
left-hours =
    { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
term-phone = 📞 { $phone }
term-comment = 💬 { $comment }
term-pickup = 🏬 Pickup: { $place }
term-address = 📍 { $place }
term-location = 📍 { $place }
term-on-the-map = Place on the map
term-landmark = 🏠 { $landmark }
payment-reminder = ⏰ { $left } left to pay for order #{ $order }. After that the order expires, and your cart stays as it is.
told-accepted = ✅ Order #{ $order } has been accepted, we are packing it.
told-ready = 📦 Order #{ $order } is ready and will be on its way soon.
told-ready-for-pickup = 📦 Order #{ $order } is ready, you can pick it up.
told-sent-off = 🚚 Order #{ $order } is on its way.
told-delivered = 🎉 Order #{ $order } has been delivered. Thank you, see you again!
told-picked-up = 🎉 You have picked up order #{ $order }. Thank you, see you again!
told-cancelled = ❌ Order #{ $order } has been cancelled.
told-cancelled-paid = ❌ Order #{ $order } has been cancelled. We will refund your money and let you know.
told-refunded = ↩️ The money for order #{ $order } has been refunded.
check-not-yet = The payment has not arrived yet. We’ll tell you as soon as it does.
cancel-surely = Cancel order #{ $order }?

    If you have already paid, don’t cancel: the money may be on its way.
cancel-yes = ❌ Yes, cancel it
cancelled-now = Cancelled
cancel-too-late = The payment has already arrived, so the order was not cancelled
again-missing = Could not be added in full: { $titles }
