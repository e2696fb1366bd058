# What `tolov refund` says. One line a text.

refund-sums = paid: { $paid } UZS; given back: { $returned } UZS
refund-by-click = CLICK can give the whole payment back, if it was made with an online card
refund-by-click-until = CLICK can give the whole payment back until { $until }, if it was made with an online card
refund-not-paid = the order is not paid
refund-nothing-left = nothing is left to give back
refund-is-open = a refund is open
refund-outside-month = CLICK reverses payments of this month, on the 1st also of the last one: by hand only
refund-part-before = a part was given back before: the rest goes by hand
refund-paid-in-telegram = it was paid by Telegram’s invoice: give it back in CLICK’s cabinet
refund-api-off = CLICK_MERCHANT_USER_ID is not set: by hand only

refund-line = refund { $refund } of { $sum } UZS, asked for by { $by } at { $at }: { $state }
refund-requested = requested
refund-sending = being sent
refund-asking = CLICK is asked for its outcome
refund-unknown = its outcome is not known: look into CLICK’s cabinet, then --by-hand or --retry
refund-refused-by-click = CLICK refused ({ $code } { $note }): give it back by hand, then --by-hand
refund-manual = by hand, since { $why }: give it back, then --by-hand
refund-done = given back through CLICK
refund-done-by-hand = given back by hand: { $document }
refund-withdrawn = withdrawn
refund-why-outside-month = CLICK reverses payments of this month only
refund-why-part = CLICK reverses whole payments only
refund-why-api-off = the shop has no access to CLICK’s Merchant API
refund-why-in-telegram = it was paid by Telegram’s invoice, of which CLICK’s Merchant API knows nothing
refund-why-not-found = CLICK does not find the payment
refund-why-looks-reversed = CLICK shows the payment as not paid although nothing was sent (perhaps it was given back already)
refund-why-ledger-restored = the ledger was restored from a backup in which it was open (perhaps it was given back or withdrawn since)

refund-ask-through-click = Give back { $sum } UZS of order { $order } through CLICK?
refund-ask-in-cabinet = Record a refund of { $sum } UZS of order { $order }, which you give back by hand in CLICK’s cabinet?
refund-ask-by-hand = Was { $sum } UZS really given back by hand?
refund-ask-retry = Does the cabinet show that { $sum } UZS did not go back?
refund-ask-withdraw = Withdraw the refund of { $sum } UZS? Nothing is given back.
refund-write-yes = Write yes:
refund-nothing-done = nothing was done

refund-order-unknown = the ledger has no order { $order }
refund-decide-first = a refund of this order is open: --by-hand, --retry or --withdraw decide it
refund-none-open = this order has no open refund
refund-not-within = { $left } UZS is left to give back: write an --amount above 0 and not above that
refund-lines-not-left = more of a product than was bought and is not back yet, or none of it: look at --lines
refund-refused = refused, { $code }: { $reason }
refund-other-request = the same request was made before with other contents
refund-not-allowed = the state that it has now does not allow this
refund-stale = it was changed at the same moment: look again
