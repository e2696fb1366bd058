# What `tolov trace` says. One line a text.

trace-nothing = Nobody knows this order number
trace-away = Could not be asked: { $reason }
trace-registered = Registered for shopper { $user }: { $amount } UZS, products { $products }
trace-ended = The order is { $status }
trace-prepared = CLICK prepared attempt { $attempt }: transaction { $transaction }, payment number { $paydoc }
trace-attempt-paid = Attempt { $attempt } paid: transaction { $transaction }, payment number { $paydoc }
trace-attempt-cancelled = CLICK cancelled attempt { $attempt }, error { $error }
trace-attempt-given-up = Attempt { $attempt } was given up when the order ended
trace-callback = { $action } from { $peer }: { $fields } was answered { $answer }
trace-unplaced = CLICK took money that could not be placed: { $action } from { $peer }: { $fields } was answered { $answer }
trace-taken-back = A restore took the payment back from { $peer }: { $fields }
trace-event = Event { $event } was written
trace-event-sent = The bus confirmed { $event }
trace-event-waits = { $event } waits for the bus; refused { $refusals } times: { $error }
trace-waiting = { $queue }: { $ready } messages wait and { $retrying } are tried again, of all orders
trace-parked = { $message } is parked in { $queue } after { $retries } retries: { $reason }
trace-placed = Placed by shopper { $user } for { $amount } UZS: { $lines }
trace-history = { $what } by { $by } (event { $event })
trace-stands = The order is { $stage }, its stock { $stock }, paid by { $payment }, articles missing: { $missing }
trace-staff = Staff member { $staff }: { $action }
trace-told = { $notification } was sent as message { $message }
trace-undeliverable = { $notification } can never be delivered: { $reason }
trace-not-told = { $notification } has no outcome yet
trace-message = Message of the order ({ $place }): { $message }
trace-operator = Operator { $user } ran { $command }: { $details }
