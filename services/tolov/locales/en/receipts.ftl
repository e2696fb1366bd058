# What `tolov receipts` says. One line a text.

receipts-missing = receipts missing: { $count }
receipts-line = order { $order }, { $sum } UZS: { $state }
receipts-needed = to be sent
receipts-sent-again = CLICK refused the items ({ $code } { $note }); they are sent again
receipts-submitting = being sent
receipts-unknown = sent, CLICK is asked for the outcome
receipts-submitted = taken by CLICK, its address is not known yet
receipts-none = missing: { $why }
receipts-none-with-code = missing: { $why } ({ $code } { $note })
receipts-by-hand = by hand ({ $by }): { $document }
receipts-closing = { $todo }; what was made by hand is closed with --by-hand "DOCUMENT"
receipts-return = money went back, and the return needs its receipt: look in CLICK’s cabinet whether it was printed, else print it at your cash register; then --by-hand "DOCUMENT"
receipts-not-there = the ledger has no receipt of order { $order }, or the order is not paid
receipts-refused = refused, { $code }: { $reason }
receipts-not-allowed = the state that it has now does not allow this
receipts-stale = it was changed at the same moment: look again

receipts-no-codes = a product or the delivery had no MXIK, package code or VAT rate when it was ordered
receipts-no-codes-do = give the product its codes for later orders; print this receipt in CLICK’s cabinet or at your cash register
receipts-in-telegram = it was paid by Telegram’s invoice, of which CLICK’s Merchant API knows nothing
receipts-in-telegram-do = look in CLICK’s cabinet whether it was printed there, else print it at your cash register
receipts-not-found = CLICK does not find the payment
receipts-not-found-do = look the payment up in CLICK’s cabinet; where it is there, --retry, else ask CLICK’s support
receipts-refused-items = CLICK refused the items until the deadline
receipts-refused-items-do = read CLICK’s words, mend what they name with CLICK’s support (codes in the register, the seller), then --retry
receipts-no-answer = CLICK gave no answer that can be believed until the deadline
receipts-no-answer-do = when CLICK answers again (`tolov doctor`), --retry: it is asked for the receipt first
receipts-no-address = CLICK took the items and has had no address of the receipt for a week
receipts-no-address-do = look in CLICK’s cabinet whether it was printed; ask CLICK’s support for it, and do not print a second one before
receipts-refunded = the money went back before the items were sent
receipts-refunded-do = nothing was sold: close it with the refund’s number as the document, unless your tax adviser wants both receipts
receipts-content-lost = a restore took the order back, and nobody knows what it sold
receipts-content-lost-do = CLICK has no receipt of it: ask the shopper what was bought and print it at your cash register
receipts-content-differs = RECEIPT_SELLER or CLICK_SERVICE_ID differs from what was sent before
receipts-content-differs-do = look in CLICK’s cabinet whether it was printed; if not, put the old setting back and --retry
