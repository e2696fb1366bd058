# /trace, for owners: everything that is known of an order.
trace-which = 🧾 Write the order’s number after the command: /trace 1001
trace-nothing = Nobody knows order { $order }.
trace-title = 🧾 <b>Order { $order }</b>: everything that is known of it, oldest first
trace-entry = { $time } · <b>{ $source }</b>
    { $text }
trace-now = now
trace-more = { $count } more: <code>tolov trace { $order }</code> on the server shows everything.
