checkout-look-at-news = Something in your cart has changed: please take a look first
checkout-phone = 📞 Which number should we call about the order?

    Choose the one below or type another.
checkout-phone-first = 📞 Which number should we call about the order? Type it, for example +998 90 123 45 67.
checkout-keep-phone = ✅ { $phone }
phone-unreadable = That doesn't look like a phone number. Write it like this: +998 90 123 45 67
checkout-delivery = 🚚 How would you like to get it?

    Pickup is at: { $place }
checkout-deliver = 🚚 Delivery
checkout-deliver-for = 🚚 Delivery · { $price }
checkout-pickup = 🏬 I'll pick it up
checkout-address = 📍 Where should we deliver?
checkout-location-hint = Send your location with the button below or type the address.
checkout-share-location = 📍 Send my location
checkout-same-address = 🔁 { $place }
checkout-same-location = 🔁 The same place as last time
checkout-address-unreadable = Send a location or type the address.
checkout-address-taken = 📍 Got it.
checkout-landmark = 🏠 Add a landmark: building, entrance, floor. It helps the courier find you.
checkout-text-please = Please send it as text.
checkout-comment = 💬 Anything you would like to add to the order?
checkout-summary = 📝 <b>Please check your order</b>
checkout-place = ✅ Place the order
checkout-anew = ✏️ Change
checkout-back-to-cart = ⬅️ Cart
checkout-leave = ❌ Cancel
checkout-price-changed = The price has changed: please look at the new total
checkout-not-registered = We can't reach the payment system right now. Your cart is safe: please try again in a moment.
checkout-placed-before = Order #{ $order } has already been placed ✅
checkout-waiting = ⏳ You have an unpaid order #{ $order } for { $total }.

    Pay for it or replace it with a new one.
checkout-replace = 🔁 Replace #{ $order } with a new order
checkout-too-many = An order takes up to { $count } pieces: please reduce the quantities in your cart
