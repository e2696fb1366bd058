# The comparison of a day, to the owners.
day-title =
    { $orders ->
        [one] 📊 <b>{ $date }</b>: { $orders } order, { $sum }
       *[other] 📊 <b>{ $date }</b>: { $orders } orders, { $sum }
    }
day-agrees = ✅ Ledger, shop and CLICK agree.
day-agrees-without-click = ✅ Ledger and shop agree.
day-click-differs = ⚠️ CLICK shows these payments differently: { $orders }. Check CLICK’s merchant cabinet.
day-click-unanswered =
    { $count ->
        [one] ❔ CLICK did not answer about { $count } payment.
       *[other] ❔ CLICK did not answer about { $count } payments.
    }
day-shop-differs = ⚠️ The shop has these orders differently: { $orders }. Ask whoever runs the shop to start tolov audit.
day-receipts-missing =
    { $count ->
        [one] 🧾 { $count } fiscal receipt is missing: tolov receipts says why.
       *[other] 🧾 { $count } fiscal receipts are missing: tolov receipts says why.
    }

# A payment that CLICK shows and of which no confirmation came.
accept-payment = ✅ Accept as paid
accept-payment-done = Order #{ $order } is paid
accept-payment-already = Order #{ $order } is paid already: somebody was faster, or its confirmation came
accept-payment-refused = The payment of order #{ $order } cannot be accepted any more: look into CLICK’s merchant cabinet
journal-payment-accepted = payment accepted as made
