told-receipt = 🧾 The receipt for order #{ $order }: <a href="{ $url }">open it at ofd.soliq.uz</a>
order-receipt = 🧾 <a href="{ $url }">Receipt</a>
receipt-data-missing = ⚠️ Receipts are on, and this product has no complete data: MXIK, package code and VAT are needed.
