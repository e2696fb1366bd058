told-receipt = 🧾 Чек по заказу №{ $order }: <a href="{ $url }">открыть на ofd.soliq.uz</a>
order-receipt = 🧾 <a href="{ $url }">Чек</a>
receipt-data-missing = ⚠️ Чеки включены, а данные этого товара неполные: нужны ИКПУ (МХИК), код упаковки и НДС.
