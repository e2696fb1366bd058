# Editing the catalogue.
edit-back = ⬅️ Back
edit-cancel = ❌ Cancel
edit-keep = ⬅️ No, keep it
edit-skip = Skip
edit-make-empty = Leave empty
edit-added = ✅ Added
edit-removed = Removed
edit-remove = 🗑 Remove
edit-remove-surely = 🗑 Yes, remove
edit-remove-photo = Remove the photo
edit-hide = 🙈 Hide
edit-unhide = 👁 Show
edit-hide-instead = 🙈 Hide it instead
edit-publish = ✅ Publish
edit-add-hidden = 🙈 Add hidden
edit-not-set = not set
edit-not-understood = 🤔 I didn’t understand that.
edit-catalogue-gone = It’s gone: somebody has removed it
edit-categories-title =
    { $count ->
        [one] 📚 <b>Catalogue</b>: { $count } category. Choose it:
       *[other] 📚 <b>Catalogue</b>: { $count } categories. Choose one:
    }
edit-categories-empty = 📚 <b>Catalogue</b>
    Empty so far. Add a category first, or import a table.
edit-categories-back = ⬅️ Categories
edit-categories-full = There are too many categories: remove one first
edit-category-add = ➕ Category
edit-category-empty = 📂 <b>{ $title }</b>
    No products here yet.
edit-category-products =
    { $count ->
        [one] 📂 <b>{ $title }</b>: { $count } product
       *[other] 📂 <b>{ $title }</b>: { $count } products
    }
edit-category-settings = ⚙️ Category settings
edit-category-card = ⚙️ <b>{ $title }</b>
    Place in the menu: { $place } of { $count }
edit-category-up = ⬆️ Up
edit-category-down = ⬇️ Down
edit-category-rename = ✏️ Title
edit-category-ask-title = Write the title of the category (at most { $count } characters).
edit-category-ask-photo = 📂 <b>{ $title }</b>

    Send a photo for the category.
edit-category-ask-removal = Remove the category “<b>{ $title }</b>”?
edit-category-not-empty =
    { $count ->
        [one] There is { $count } product in it. Move or remove it first.
       *[other] There are { $count } products in it. Move or remove them first.
    }
edit-product-add = ➕ Product
edit-products-full = There are too many products: remove some first
edit-product-new = 🆕 <b>New product</b>

    { $asked }
edit-product-asked = 📦 <b>{ $title }</b>

    { $asked }
edit-product-review = This is what customers will see. Publish it?
edit-product-preview-title = <b>{ $title }</b>
edit-product-price-stock = 💵 { $price } · { $stock }
edit-product-variants-more =
    { $count ->
        [one] … and { $count } more variant
       *[other] … and { $count } more variants
    }
edit-product-details = — — —
    Number: <code>{ $id }</code> · 📂 { $category }
edit-product-no-category = no category
edit-product-is-hidden = 🙈 Hidden: customers do not see it
edit-product-portion = ⚖️ Sold in steps of { $portion }
edit-product-photos = 🖼 Photos: { $count }
edit-product-holds =
    { $count ->
        [one] ⏳ Set aside for { $count } order waiting for payment: { $pieces }
       *[other] ⏳ Set aside for { $count } orders waiting for payment: { $pieces }
    }
edit-product-mxik = MXIK: <code>{ $mxik }</code>
edit-product-package = Package code: <code>{ $code }</code>
edit-product-vat = VAT: { $percent }%
edit-product-ask-removal = Remove “<b>{ $title }</b>” for good?
edit-product-removal-holds =
    { $count ->
        [one] ⏳ { $pieces } are set aside for { $count } order waiting for payment. It stays valid: if it is paid, the goods have to be handed over.
       *[other] ⏳ { $pieces } are set aside for { $count } orders waiting for payment. They stay valid: if they are paid, the goods have to be handed over.
    }
edit-product-ask-category = Which category should “<b>{ $title }</b>” go to?
edit-fiscal-card = 🧾 <b>{ $title }</b>: data for the receipt

    MXIK: { $mxik }
    Package code: { $package }
    VAT: { $vat }
edit-field-title = ✏️ Title
edit-field-description = 📝 Description
edit-field-photo = 🖼 Photo
edit-field-price = 💵 Price
edit-field-stock = 📦 Stock
edit-field-variants = 🎨 Variants ({ $count })
edit-field-fiscal = 🧾 Receipt data
edit-field-category = 📂 Category
edit-field-label = ✏️ Name
edit-field-mxik = MXIK
edit-field-package = Package code
edit-field-vat = VAT
edit-ask-title = Write the title of the product (at most { $count } characters).
edit-ask-description = Write the description (at most { $count } characters).
edit-ask-price = Write the price of one piece in UZS, in digits. For example: 15 000
edit-ask-portion = How is it sold? If by the piece, press the button. If by weight or length, write the step, for example: 0.5 kg, 100 g, 1 m. This cannot be changed later.
edit-by-the-piece = By the piece
edit-ask-unit-price = Write the price of 1 { $unit } in UZS, in digits. For example: 24 000
edit-ask-stock = How many are there to sell? Write a whole number (0 means sold out) or press “Unlimited”.
edit-ask-stock-amount = How much is there to sell ({ $unit })? For example: 12.5 (0 means sold out). Or press “Unlimited”.
edit-ask-stock-holds = ⏳ Do not count what is set aside for orders waiting for payment: { $pieces }.
edit-ask-photo = Send the photo, several as an album (as photos, not as files).
edit-ask-mxik = Write the MXIK code: { $count } digits. It can be found at tasnif.soliq.uz.
edit-ask-package = Write the package code: at most { $count } digits.
edit-ask-vat = Write the VAT rate: a whole number from 0 to 100. For example: 12
edit-stock-uncounted = unlimited
edit-stock-none = sold out
edit-stock-count =
    { $count ->
        [one] { $count } pc
       *[other] { $count } pcs
    }
edit-stock-do-not-count = ♾ Unlimited
edit-variants-none = 🎨 <b>{ $title }</b>
    No variants: it is sold as it is. With variants (size, colour) each has a price and a stock of its own.
edit-variants-title =
    { $count ->
        [one] 🎨 <b>{ $title }</b>: { $count } variant
       *[other] 🎨 <b>{ $title }</b>: { $count } variants
    }
edit-variants-full = There are too many variants: remove one first
edit-variant-add = ➕ Add a variant
edit-variant-card = 🎨 <b>{ $title }</b> · <code>{ $id }</code>

    { $line }
edit-variant-line = • { $label } — { $price } · { $stock }
edit-ask-label = Write the name of the variant, for example: XL or red (at most { $count } characters).
edit-variant-label-taken = This product already has a variant with that name.
edit-variant-first-holds =
    { $count ->
        [one] ⏳ { $pieces } are set aside, without a variant, for { $count } order waiting for payment. It stays valid; do not count these pieces into the stock of the variants.
       *[other] ⏳ { $pieces } are set aside, without a variant, for { $count } orders waiting for payment. They stay valid; do not count these pieces into the stock of the variants.
    }
edit-variant-ask-removal = “<b>{ $title }</b>”: remove the variant “{ $label }”?
edit-variant-removal-last = This is the last variant. The product will be hidden: check its price and stock, then show it again.
edit-photo-expected = 🖼 Please send a photo.
edit-photo-as-file = 🖼 That came as a file. Please send it as a photo.
edit-photo-channel-refuses = ⚠️ Photos are kept in the channel { $channel }, but it did not accept this one. Make the bot an administrator there (with the right to post) and send the photo again.
edit-photo-not-now = ⏳ Telegram did not accept the photo just now. Send it again in a minute.
edit-photo-late = 🖼 This photo came too late: the product has been added already. Send the photos on its page.
edit-photo-of-category = 🖼 Category #{ $id }: { $title }
edit-photo-of-product = 🖼 Product #{ $id }: { $title }
