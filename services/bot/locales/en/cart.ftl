cart-title = 🛒 <b>Your cart</b>
cart-empty = 🛒 Your cart is empty.
    Pick something from the catalogue and it will appear here.
cart-line-sum = { $count } × { $price } = <b>{ $sum }</b>
cart-line-amount = { $amount } = <b>{ $sum }</b>
cart-line-untitled = Product #{ $product }
cart-only-left = Only { $count } left
cart-only-left-amount = Only { $amount } left
cart-gone = This is not available right now
cart-full = The cart holds at most { $count } different products
cart-clear = 🗑 Clear
cart-clear-surely = Remove everything from the cart?
cart-clear-yes = 🗑 Yes, clear it
cart-check-out = ✅ Check out · { $total }
cart-change-terms = ✏️ Address, phone, comment
cart-accept-news = 👌 Got it, continue
news-dearer = The price went up: it was { $was }, now it is { $now }
news-cheaper = The price went down: it was { $was }, now it is { $now }
news-only-left = Only { $count } left
news-only-left-amount = Only { $amount } left
news-sold-out = Sold out
news-gone = No longer for sale
promo-enter = 🎁 Promo code
promo-drop = 🎁 { $code } ❌
promo-ask = 🎁 Type the promo code.
promo-unknown = There is no such promo code. Check it and type it again, or press /menu.
promo-expired = This promo code has expired.
promo-used-up = This promo code has been used up.
promo-used-by-you = You have already used this promo code.
promo-too-little = This promo code is valid for purchases of { $sum } or more.
sum-goods = Goods: { $sum }
sum-discount = Discount ({ $code }): −{ $sum }
sum-delivery = Delivery: { $sum }
sum-total = Total: <b>{ $sum }</b>
