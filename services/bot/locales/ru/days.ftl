# Сверка дня, владельцам.
day-title = 📊 <b>{ $date }</b>: заказов { $orders }, { $sum }
day-agrees = ✅ Касса, магазин и CLICK сходятся.
day-agrees-without-click = ✅ Касса и магазин сходятся.
day-click-differs = ⚠️ CLICK показывает эти платежи иначе: { $orders }. Проверьте их в кабинете CLICK.
day-click-unanswered = ❔ CLICK не ответил о платежах: { $count }.
day-shop-differs = ⚠️ В магазине эти заказы записаны иначе: { $orders }. Попросите администратора запустить tolov audit.
day-receipts-missing =
    { $count ->
        [one] 🧾 Не хватает { $count } фискального чека. Причину показывает tolov receipts.
       *[other] 🧾 Не хватает фискальных чеков: { $count }. Причины показывает tolov receipts.
    }

# Платёж, который CLICK показывает без подтверждения.
accept-payment = ✅ Считать оплаченным
accept-payment-done = Заказ №{ $order } оплачен
accept-payment-already = Заказ №{ $order } уже оплачен: кто-то успел раньше или подтверждение пришло
accept-payment-refused = Платёж заказа №{ $order } принять уже нельзя: посмотрите кабинет CLICK
journal-payment-accepted = платёж принят как поступивший
