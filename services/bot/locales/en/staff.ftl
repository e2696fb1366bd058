# Posts in the staff channel.
staff-paid-title = 🛒 <b>Order #{ $order } is paid</b>
staff-late-title = ⚠️ <b>Order #{ $order } was paid LATE</b>
staff-questioned-title = ⚠️ <b>Order #{ $order }: CHECK THE PAYMENT</b>
staff-shopper = Customer: <a href="tg://user?id={ $user }">{ $user }</a>
staff-time = Time: { $time }
staff-unplaced-title = ⚠️ <b>CLICK TOOK MONEY THAT COULD NOT BE MATCHED TO AN ORDER</b>
staff-click-transaction = CLICK transaction: <code>{ $transaction }</code>
staff-click-amount = Amount that CLICK names: <b>{ $amount }</b>
staff-paid-by = This order is paid by transaction <code>{ $transaction }</code>, payment <code>{ $payment }</code>
staff-click-order = Order that CLICK names: <code>{ $order }</code>
staff-click-answer =
    { $answer ->
        [-5] Our answer to CLICK: <code>{ $answer }</code>, there is no such order
        [-6] Our answer to CLICK: <code>{ $answer }</code>, there is no such payment of this order
        [-8] Our answer to CLICK: <code>{ $answer }</code>, the request cannot be read
       *[other] Our answer to CLICK: <code>{ $answer }</code>
    }

staff-digest-title =
    { $count ->
        [one] 🛒 <b>{ $count } notification in one post</b>
       *[other] 🛒 <b>{ $count } notifications in one post</b>
    }
staff-digest-entry = #{ $order } · { $total } · CLICK { $payment } · { $time }
staff-digest-attention = ⚠️ <b>#{ $order }</b> · { $total } · CLICK { $payment } · { $time } · customer { $user }

todo-late = The money came after the order had expired. Check whether the goods are still there: if so, fulfil the order; if not, refund the money in CLICK’s merchant cabinet and write to the customer.
todo-cancel-after-paid = CLICK reports that a completed payment was cancelled. Do not hand out the goods: first check in CLICK’s merchant cabinet whether the money went back.
todo-paid-twice = A second payment came for this order. Check CLICK’s merchant cabinet and refund the extra one.
todo-confirmed-after-cancel = CLICK confirmed a payment that it had cancelled itself. The order is not marked as paid: check CLICK’s merchant cabinet; if the money is in, refund it or settle it with the customer.
todo-amount-differs = The amount of the payment differs from the order’s and was not accepted. Check CLICK’s merchant cabinet and write to the customer.
todo-transaction-reused = One CLICK transaction came for a second order and was not accepted. Check CLICK’s merchant cabinet.
todo-unplaced = Find the payment in CLICK’s merchant cabinet by its number. Then refund the money there, or find the payer and place the order by hand.
todo-order-differs = The payment names another customer or another amount than order #{ $order } of this shop. That happens after a restore from a backup. Look both up: the payment in CLICK’s merchant cabinet and the order here, then deliver or refund the money.
todo-reported-paid = CLICK shows this order as paid although its confirmation never came. Compare the payment in CLICK’s merchant cabinet: if the money is there, an owner presses “Accept as paid”; then fulfil the order or give the money back.
todo-reported-unpaid = CLICK no longer shows this payment as paid, and no refund was made here. Do not hand out the goods: first check in CLICK’s merchant cabinet whether the money went back.
todo-stock-not-settled = The stock, the cart or the promo code could not be updated. Check the products of this order by hand, and tell whoever runs the shop to look into the log.
