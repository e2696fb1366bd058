# Notifications to shoppers. Amounts and names are formatted by the program.
money = { $amount } UZS
number = #{ $number }
unit-kilogram = kg
unit-litre = l
unit-metre = m

paid-title = ✅ <b>Order #{ $order } is paid</b>
paid-total = Total: <b>{ $total }</b>
paid-payment = CLICK payment number: <code>{ $payment }</code>
paid-thanks = Thank you for your purchase!

expired-title = ⌛ <b>Order #{ $order } has expired</b>
expired-cart = You were not charged for it. Your cart is still there: you can order again at any time.

order-line = • { $title } × { $count }
order-line-amount = • { $title } · { $amount }
order-line-untitled = • Product #{ $product } × { $count }
order-lines-more =
    { $count ->
        [one] … and { $count } more product
       *[other] … and { $count } more products
    }

unknown = Sorry, I did not understand that. This is what I can do:
try-later = I can’t answer right now. Please try again in a moment.
edit-not-taken = ✏️ This edit was not taken into account. Please send it as a new message, or write to us from /menu.
