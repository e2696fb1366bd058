checkout-look-at-news = Something in the cart has changed: please look first
checkout-phone = 📞 Which number shall we call about the order?

    Take the one below, or type another.
checkout-phone-first = 📞 Which number shall we call about the order? Type it, for example +998 90 123 45 67.
checkout-keep-phone = ✅ { $phone }
phone-unreadable = That does not look like a phone number. Write it like this: +998 90 123 45 67
checkout-delivery = 🚚 How would you like to get it?

    Pickup is at: { $place }
checkout-deliver = 🚚 Deliver it
checkout-deliver-for = 🚚 Deliver it · { $price }
checkout-pickup = 🏬 I shall pick it up
checkout-address = 📍 Where shall we deliver?
checkout-location-hint = Send your location with the button below, or type the address.
checkout-share-location = 📍 Send my location
checkout-same-address = 🔁 { $place }
checkout-same-location = 🔁 The same place as last time
checkout-address-unreadable = Send a location, or write the address in words.
checkout-address-taken = 📍 Got it.
checkout-landmark = 🏠 Name a landmark: building, entrance, floor. It helps the courier.
checkout-text-please = Please write it in words.
checkout-comment = 💬 Anything else we should know?
checkout-summary = 📝 <b>Please check</b>
checkout-place = ✅ Place the order
checkout-anew = ✏️ Change
checkout-back-to-cart = ⬅️ Cart
checkout-leave = ✖️ Cancel
checkout-price-changed = The price has changed: please look at the new total
checkout-cashier-away = The payment system cannot be reached just now. Your cart is safe: please try again in a moment.
checkout-placed-before = Order №{ $order } is placed already ✅
