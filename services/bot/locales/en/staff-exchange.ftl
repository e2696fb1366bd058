# Export and import of the catalogue as CSV.
exchange-open = 📄 Table (CSV)
exchange-title = 📄 <b>The catalogue as a table</b>
    Download it, edit it in a spreadsheet and send it back: I’ll show you first what would change.
exchange-export = ⬇️ Download
exchange-import = ⬆️ Upload
exchange-caption =
    { $count ->
        [one] Catalogue: { $count } product
       *[other] Catalogue: { $count } products
    }
import-ask = ⬆️ Send the CSV file as a document (up to 20 MB). To see what it looks like, download the table first.
import-no-file = 🤔 Please send the CSV file as a document.
import-too-large = The file is larger than 20 MB: send it in parts.
import-not-now = ⏳ Telegram did not give the file just now. Send it again in a minute.
import-not-served = ⚠️ This Bot API server gives no files. An administrator can import the table with <code>tolov catalogue import</code>.
import-nothing-new = ✅ The catalogue already matches the file: nothing to change.
import-plan = 📋 <b>What will change</b>
    New: { $new } · changed: { $changed } · the same: { $same }
    New variants: { $variants } · new categories: { $categories }
import-line-new = 🆕 { $title }
import-line-changed = ✏️ { $title }: { $cells }
import-more = … and { $count } more
import-do = ✅ Apply
import-changed-since = The catalogue has changed in the meantime. Please look at the new plan.
import-done = ✅ <b>Done</b>
    New: { $new } · changed: { $changed } · new categories: { $categories }
import-reading = ⏳ Reading the file. I will show here what would change.
import-running = ⏳ The previous table is still being imported. Send the new one when it is done.
import-started = 📄 The import has started. A separate message shows its progress.
import-progress = 📄 <b>The table is being imported</b>
    { $bar } { $done } / { $total }
import-broken-off = ⚠️ <b>The import broke off</b>
    Reason: { $reason }
    New: { $new } · changed: { $changed }. Send the file again to import the rest.
import-no-telegram = Telegram does not give the file
import-done-gone = Skipped, because somebody has removed them: { $count }
import-errors =
    { $count ->
        [one] ⚠️ <b>There is { $count } mistake in the file</b>, nothing was changed. Fix it and send it again:
       *[other] ⚠️ <b>There are { $count } mistakes in the file</b>, nothing was changed. Fix them and send it again:
    }
import-error-cell = • line { $line }, <code>{ $column }</code>: { $problem }
import-error-row = • line { $line }: { $problem }
import-problem-not-utf8 = the file is not UTF-8: save it as “CSV UTF-8”
import-problem-no-rows = there is nothing below the heading
import-problem-too-many-rows = more than { $count } rows: split the file
import-problem-unknown-column = there is no column “{ $name }”; there are: { $known }
import-problem-column-twice = this column is there twice: delete one
import-problem-too-few-columns = the first line must name the columns: product_id or variant_id, or category, title and price
import-problem-too-many-cells = more cells than in the heading: put text that contains the delimiter in quotes
import-problem-missing = fill this in: a new entry needs it
import-problem-not-a-number = write the number from a downloaded table, or leave it empty for a new one
import-problem-unknown-product = no product has this number: leave it empty to make a new one
import-problem-unknown-variant = no variant has this number: leave it empty to make a new one
import-problem-variant-of-another = the variant belongs to another product: check both numbers
import-problem-not-a-price = write the price in UZS, in digits, for example 15000; 0 is not allowed
import-problem-not-a-portion = write a step with its unit, for example 0.5 kg, 100 g or 1 m; leave empty what is sold by the piece
import-problem-portion-stays = the step a product is sold in never changes, because carts and orders count in it: add a new product
import-problem-not-a-stock = write a whole number (12.5 of what is sold by weight), or leave it empty for unlimited
import-problem-not-yes-or-no = write yes or no
import-problem-not-a-mxik = write 17 digits (with an apostrophe in front if the spreadsheet rounds them), or leave it empty
import-problem-not-a-package-code = write 1 to 20 digits, or leave it empty
import-problem-not-a-percentage = write a whole number from 0 to 100, or leave it empty
import-problem-not-a-photo = use a file_id from a downloaded table, or leave it empty; photos are added in the bot
import-problem-too-long = at most { $count } characters
import-problem-again = line { $line } already has it: delete one
import-problem-differs = line { $line } says something else: write the same, or leave it empty
import-problem-which-variant = this product has variants: say which
import-problem-label-taken = another variant has this name: choose a different one
import-problem-which-product = several products have this name: write the number in product_id
import-problem-too-many-variants = at most { $count } variants per product
import-problem-too-many-products = at most { $count } products: remove old ones first
import-problem-too-many-categories = at most { $count } categories: use an existing one
