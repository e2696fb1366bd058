# The shop: the first visit, menu, catalogue, search, profile, help.
back-to-found = ⬅️ Results

language-name = 🇬🇧 English
language-ask = Choose a language:
language-set = Language changed: English

greeting =
    Hello, <b>{ $name }</b>! 👋

    Welcome to our shop. Right here you can choose products, pay with CLICK and follow your order.
phone-ask = Please share your phone number: press the button below or type it, for example +998 90 123 45 67.
phone-share = 📱 Share my number
phone-kept = ✅ Thank you! Your number is saved: { $phone }
phone-anothers = This is someone else’s number. Please share your own: the button below does it for you.
phone-unclear = That doesn’t look like a phone number. Press the button below or type it like this: +998 90 123 45 67.
keyboard-put-away = All right 👌

menu-title =
    🏠 <b>Main menu</b>

    What are you looking for? Type the name of a product and I will find it.
menu-search = 🔎 Search
menu-cart = 🛒 Cart
menu-cart-filled = 🛒 Cart ({ $count })
menu-orders = 📦 My orders
menu-profile = 👤 Profile
menu-help = ℹ️ Help
menu-support = ✍️ Write to us
menu-staff = 🧰 For staff

catalogue-title = 🛍 <b>Catalogue</b>
catalogue-empty = The catalogue is empty for now. New products are coming soon, please check back later!
category-title =
    <b>{ $title }</b>
    { $count ->
        [one] { $count } product
       *[other] { $count } products
    }
category-empty =
    <b>{ $title }</b>

    There is nothing in this category yet.
category-gone = This category is gone. There are others in the catalogue:
product-gone = This product is no longer sold. There are others in the catalogue:
label-price = { $title } · { $price }
label-sold-out = { $title } · sold out
price-from = from { $price }

card-title = <b>{ $title }</b>
card-description = { $text }
card-price = 💰 <b>{ $price }</b>
card-only-left = ⚡️ Only { $count } left
card-only-left-amount = ⚡️ Only { $amount } left
card-sold-out = ❌ Sold out for now
card-choose = Which one suits you?
card-count =
    { $count ->
        [one] { $count } pc
       *[other] { $count } pcs
    }
card-add = 🛒 Add to cart
card-check-out = ✅ Check out
card-share = 📤 Share
quantity-ask =
    <b>{ $title }</b>

    How many? Type a number, for example 25.
quantity-unclear = Type a number from 1 to { $most }. 0 takes the product out of your cart.
quantity-ask-amount =
    <b>{ $title }</b>

    How much do you need? Type it, for example { $example }. It is sold in steps of { $portion }.
quantity-unclear-amount = Type the amount as a number: in steps of { $portion }, up to { $most }. 0 takes the product out of your cart.

search-ask =
    🔎 What are you looking for? Type the name of a product, or just part of it.
search-inline = ⚡️ Instant search
search-again = 🔎 Search again
search-found =
    { $count ->
        [one] 🔎 “{ $query }”: { $count } product found
       *[other] 🔎 “{ $query }”: { $count } products found
    }
search-nothing =
    Nothing was found for “{ $query }”.

    Try a shorter word, or write to us: we will do our best to find it.
inline-open-shop = 🛍 Open the shop
group-start = 👋 The shop works in a private chat with the bot.
inline-buy = 🛒 Buy

profile-title = 👤 <b>{ $name }</b>
profile-phone = 📱 Phone: { $phone }
profile-no-phone = not given yet
profile-language = 🌐 Language: { $language }
profile-orders = 📦 Paid orders: { $count }
profile-friends = 👥 Friends invited: { $count }
profile-change-language = 🌐 Language
profile-change-phone = 📱 Phone
profile-invite = 👥 Invite a friend
invite-text =
    👥 <b>Invite your friends</b>

    Your link: { $link }

    Joined through your link: { $count }
invite-share = 📤 Send the link
invite-message = Shopping here is easy, have a look:
friend-joined = 🎉 { $name } has joined us through your link. Thank you!

help-text =
    ℹ️ <b>Help</b>

    🛍 Choose a product in the catalogue, or find it by typing its name.
    🛒 Add it to the cart and place your order.
    💳 Pay with CLICK: we tell you here as soon as the money is in.
    📦 “My orders” shows where your order is.
help-end = Any questions? Write to us and we will answer.
terms-text =
    <b>Terms of purchase</b>

    What the order shows before you pay counts: the goods, their price and the delivery. You pay through CLICK. An order that is not paid in time is cancelled, and you pay nothing.

    If you do not get what you paid for, write to us: the money goes back to the card that paid, or by transfer.
command-menu = Main menu
command-search = Search for a product
command-cart = Cart
command-orders = My orders
command-profile = Profile
command-language = Change the language
command-phone = Change the phone number
command-help = Help
command-support = Write to us
command-terms = Terms of purchase
unknown-command = There is no such command. Answer the question, or press /menu.
