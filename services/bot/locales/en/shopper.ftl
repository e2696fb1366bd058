# What the shopper is told. Amounts and names come ready from the program.
money = { $amount } so'm

paid-title = ✅ <b>Order №{ $order } is paid</b>
paid-total = Total: <b>{ $total }</b>
paid-payment = CLICK payment number: <code>{ $payment }</code>
paid-thanks = Thank you for your purchase!

expired-title = ⌛ <b>Order №{ $order } has expired</b>
expired-cart = Nothing was paid for it. Your cart is still there: you can order again at any time.

order-line = • { $title } × { $count }
order-line-untitled = • Product №{ $product } × { $count }
order-lines-more =
    { $count ->
        [one] … and { $count } more product
       *[other] … and { $count } more products
    }

greeting = Hello! This is the shop's bot. I shall tell you here as soon as your order is paid.
try-later = I cannot show your orders just now. Please try again in a few minutes.
