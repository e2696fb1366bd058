# То, что говорится покупателю. Суммы и названия приходят из программы готовыми.
money = { $amount } сум
number = №{ $number }
unit-kilogram = кг
unit-litre = л
unit-metre = м

paid-title = ✅ <b>Заказ №{ $order } оплачен</b>
paid-total = Итого: <b>{ $total }</b>
paid-payment = Номер платежа CLICK: <code>{ $payment }</code>
paid-thanks = Спасибо за покупку!

expired-title = ⌛ <b>Время оплаты заказа №{ $order } истекло</b>
expired-cart = Деньги за заказ не списаны. Корзина на месте: оформить заказ снова можно в любое время.

order-line = • { $title } × { $count }
order-line-amount = • { $title } · { $amount }
order-line-untitled = • Товар №{ $product } × { $count }
order-lines-more =
    { $count ->
        [one] … и ещё { $count } наименование
        [few] … и ещё { $count } наименования
       *[other] … и ещё { $count } наименований
    }

unknown = Извините, не получилось понять. Вот что я умею:
try-later = Сейчас не получается ответить. Попробуйте ещё раз чуть позже.
edit-not-taken = ✏️ Эта правка не учтена. Отправьте её новым сообщением или напишите нам через /menu.
