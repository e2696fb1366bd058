# What is posted to the staff channel.
staff-paid-title = 🛒 <b>Order №{ $order } is paid</b>
staff-late-title = ⚠️ <b>Order №{ $order } was paid LATE</b>
staff-questioned-title = ⚠️ <b>Order №{ $order }: CHECK THE PAYMENT</b>
staff-shopper = Shopper: <a href="tg://user?id={ $user }">{ $user }</a>
staff-time = Time: { $time }

staff-digest-title =
    { $count ->
        [one] 🛒 <b>{ $count } notice together</b>
       *[other] 🛒 <b>{ $count } notices together</b>
    }
staff-digest-entry = №{ $order } · { $total } · CLICK { $payment } · { $time }
staff-digest-attention = ⚠️ <b>№{ $order }</b> · { $total } · CLICK { $payment } · { $time } · shopper { $user }

todo-late = The money came after the order had expired. See whether the goods are still there: if so, fulfil the order; if not, give the money back in CLICK's cabinet and write to the shopper.
todo-cancel-after-paid = CLICK says that a payment which is paid was cancelled. Do not hand out the goods: first see in CLICK's cabinet whether the money went back.
todo-paid-twice = A second payment came for this order. Look in CLICK's cabinet and give the extra one back.
todo-confirmed-after-cancel = CLICK confirmed a payment that it had cancelled itself. The order is not marked as paid: look in CLICK's cabinet; if the money is in, give it back or settle it with the shopper.
todo-amount-differs = The amount of the payment differs from the order's and was not accepted. Look in CLICK's cabinet and write to the shopper.
todo-transaction-reused = One CLICK transaction came for a second order and was not accepted. Look in CLICK's cabinet.
todo-other = The program does not know this case ({ $anomaly }). Look at the payment in CLICK's cabinet.
