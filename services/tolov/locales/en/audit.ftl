# What `tolov audit` says. One line a text.

audit-order-unknown = order { $order } is paid in the ledger and unknown to the shop store
audit-order-not-paid = order { $order } is paid in the ledger and is not paid in the shop store
audit-user-differs = order { $order } is paid in the ledger and has another shopper in the shop store
audit-amount-differs = order { $order } is paid in the ledger and has another amount in the shop store
audit-payment-differs = order { $order } is paid in the ledger and has another payment in the shop store
audit-order-unreadable = order { $order } of the shop store cannot be read: { $reason }
audit-paid-in-shop-alone = order { $order } is paid in the shop store and { $status } in the ledger
audit-open-in-shop-alone = order { $order } is over in the ledger and waits for payment in the shop store
audit-stock-not-settled = the stock of order { $order } is not settled
audit-refund-unknown = refund { $refund } of order { $order } is done in the ledger and unknown to the shop store
audit-refund-amount-differs = refund { $refund } of order { $order } has another sum in the shop store
audit-refund-in-shop-alone = refund { $refund } of order { $order } is known to the shop store alone
audit-refund-hangs = refund { $refund } of order { $order } is { $state } for more than a day
audit-shopper-not-told = order { $order } is paid and its shopper was not told of it
audit-staff-not-told = order { $order } is paid and staff were not told of it
audit-question-not-told = staff were not told of { $event }
audit-order-count = shopper { $user } has { $paid } paid orders and is recorded with { $counted }
audit-stock-held-for-nothing = { $count } of article { $article } are held for order { $order }, which needs them no more
audit-event-unsent = event { $event } waits for the bus for over a minute: { $reason }
audit-message-parked = message { $message } is parked in { $queue }: { $reason }
audit-status-unknown = unknown
audit-not-asked = the bus was not asked yet, or does not answer

audit-do-repair-order = tolov audit --repair makes the shop store say what the ledger says and publishes the event once more
audit-do-compare-payments = compare the order and both payments in CLICK’s cabinet and give back what was paid twice; if the ledger is right, tolov rebuild ORDER makes the shop store say the same
audit-do-repair-document = repair or remove the document, then audit again
audit-do-look-at-click = look the payment up in CLICK’s cabinet: if money came in, the ledger was restored from too old a backup; if none did, somebody has written to the shop store
audit-do-settle = tolov audit --repair settles it; if it stays, repair the product, shopper or promo code that the projector’s log names
audit-do-replay = tolov audit --repair publishes the events of the order once more; is the projector up?
audit-do-compare-refund = compare the order with CLICK’s cabinet; tolov refund ORDER --by-hand records what was given back there
audit-do-decide-refund = tolov refund ORDER --show says what it waits for; --by-hand, --retry or --withdraw decides it
audit-do-publish = tolov audit --repair publishes the event once more; is the bot up?
audit-do-count = tolov audit --repair counts the paid orders again
audit-do-restock = tolov audit --repair puts it back into stock
audit-do-bring-bus-back = bring RabbitMQ back; the webhook service’s log has the reason. It is sent by itself
audit-do-requeue = end the cause, then tolov audit --repair or tolov parked requeue

audit-repaired = repaired
audit-not-repaired = not repaired: { $reason }
audit-more = and { $count } more: repair these, then audit again
audit-found-none = no difference
audit-found-one = 1 difference
audit-found = { $count } differences
audit-summary = { $found }; ledger: { $ledger-orders } orders paid with { $ledger-soum } UZS, shop store: { $shop-orders } with { $shop-soum } UZS; { $users } people, { $products } products
