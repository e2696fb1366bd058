order-title = 📦 <b>Заказ №{ $order }</b>
order-pay = 💳 Оплатить через CLICK · { $total }
order-check = 🔄 Проверить оплату
order-cancel = ❌ Отменить
order-again = 🔁 Заказать ещё раз
orders-title = 📦 <b>Ваши заказы</b>
orders-empty = 📦 У вас пока нет заказов.
state-placing = ⏳ Оформляется
state-waiting = ⏳ Ждёт оплаты
state-waiting-until = ⏳ Ждёт оплаты: ещё { $left } (до { $until })
state-paid = ✅ Оплачен
state-preparing = 📦 Собирается
state-ready = 📦 Готов
state-on-the-way = 🚚 В пути
state-delivered = 🎉 Доставлен
state-picked-up = 🎉 Выдан
state-cancelled = ❌ Отменён
state-expired = ⌛ Не оплачен вовремя
state-refunded = ↩️ Деньги возвращены
left-moment = меньше минуты
left-minutes =
    { $count ->
        [one] { $count } минута
        [few] { $count } минуты
       *[other] { $count } минут
    }
left-hours =
    { $count ->
        [one] { $count } час
        [few] { $count } часа
       *[other] { $count } часов
    }
term-phone = 📞 { $phone }
term-comment = 💬 { $comment }
term-pickup = 🏬 Самовывоз: { $place }
term-address = 📍 { $place }
term-location = 📍 { $place }
term-on-the-map = Точка на карте
term-landmark = 🏠 { $landmark }
payment-reminder = ⏰ До конца оплаты заказа №{ $order } осталось: { $left }. Если не успеете, заказ отменится, а корзина останется на месте.
told-accepted = ✅ Заказ №{ $order } принят, собираем.
told-ready = 📦 Заказ №{ $order } собран и скоро отправится к вам.
told-ready-for-pickup = 📦 Заказ №{ $order } готов, можно забирать.
told-sent-off = 🚚 Заказ №{ $order } уже в пути.
told-delivered = 🎉 Заказ №{ $order } доставлен. Спасибо, ждём вас снова!
told-picked-up = 🎉 Заказ №{ $order } выдан. Спасибо, ждём вас снова!
told-cancelled = ❌ Заказ №{ $order } отменён.
told-cancelled-paid = ❌ Заказ №{ $order } отменён. Деньги мы вернём и сообщим вам об этом.
told-refunded = ↩️ Деньги за заказ №{ $order } возвращены.
check-not-yet = Оплата пока не пришла. Как только придёт, мы сообщим.
cancel-surely = Отменить заказ №{ $order }?

    Если вы уже оплатили, не отменяйте: деньги могут быть в пути.
cancel-yes = ❌ Да, отменить
cancelled-now = Отменено
cancel-too-late = Оплата уже пришла, поэтому заказ не отменён
again-missing = Не хватает или нет в продаже: { $titles }
