# Заказ глазами сотрудников: пост в канале и карточка в личном чате.
staff-order-title = 🛒 <b>Заказ №{ $order }</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
staff-order-shopper-unknown = 👤 { $shopper }
staff-order-goods = Товары: { $sum }
staff-order-discount = Скидка ({ $code }): −{ $sum }
staff-order-delivery = Доставка: { $sum }
staff-order-total = Итого: <b>{ $sum }</b>
staff-order-payment = Номер платежа CLICK: <code>{ $payment }</code>
staff-order-pickup = 🏬 Покупатель заберёт сам
staff-order-address = 📍 { $address }
staff-order-location = 📍 Точка на карте
staff-order-landmark = 🏠 { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Открыть на карте
staff-order-late = ⚠️ <b>Оплата пришла после закрытия заказа.</b> Проверьте, есть ли товар.
staff-order-missing = ⚠️ <b>Не хватает на складе:</b> { $title }, нужно: { $count } шт.
staff-order-missing-amount = ⚠️ <b>Не хватает на складе:</b> { $title }, нужно: { $amount }
staff-order-give-back = 👉 Верните деньги кнопкой «Вернуть деньги» или в кабинете CLICK. Если вернули в кабинете или переводом, владелец нажмёт «Возвращено вручную».
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · покупатель
staff-history-title = <b>История</b>

event-payment-cancelled = CLICK отменил платёж
event-payment-questioned = платёж нужно проверить

staff-stage-placing = Оформляется
staff-stage-waiting = Ждёт оплаты
staff-stage-paid = Оплачен
staff-stage-preparing = Собирается
staff-stage-ready = Готов
staff-stage-on-the-way = В пути
staff-stage-delivered = Доставлен
staff-stage-picked-up = Выдан
staff-stage-cancelled = Отменён
staff-stage-expired = Не оплачен вовремя
staff-stage-refunded = Деньги возвращены

action-accept = ✅ Принять
action-make-ready = 📦 Готов
action-send-off = 🚚 В пути
action-deliver = 🏁 Доставлен
action-hand-over = 🏁 Выдан
action-cancel = ❌ Отменить
action-refund = ✅ Возвращено вручную
action-sure-cancel = ❌ Да, отменить
action-sure-refund = 💸 Да, деньги возвращены
action-not-sure = ⬅️ Нет, назад
action-ask-cancel = ❓ <b>Отменить заказ №{ $order }?</b>

action-done-placed = оформлен
action-done-registered = можно оплатить
action-done-paid = оплачен
action-done-accepted = принят
action-done-made-ready = готов
action-done-sent-off = отправлен
action-done-delivered = доставлен
action-done-picked-up = выдан
action-done-cancelled = отменён
action-done-expired = не оплачен вовремя
action-done-refunded = деньги возвращены

action-not-allowed = На это у вас нет прав. Если они нужны, обратитесь к владельцу магазина.
action-already = Это уже сделано: { $who }, { $time }
action-already-someone = Это уже сделано.
action-toast = №{ $order }: { $what }
action-give-back = Заказ №{ $order } отменён. Теперь верните { $sum }: кнопкой «Вернуть деньги» или в кабинете CLICK.
action-paid-meanwhile = Заказ №{ $order } только что оплатили, поэтому он не отменён. Если нужно, отмените его ещё раз.

panel-orders = 📋 Заказы
panel-broadcast = 📣 Рассылка
panel-statistics = 📊 Статистика

staff-orders-title = 📋 <b>Заказы</b>
    Выберите этап или найдите заказ.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Найти
staff-orders-in = 📋 <b>Заказы · { $stage }</b> · { $count }
staff-orders-in-past = 📋 <b>Заказы · { $stage }</b>
staff-orders-of = 📋 <b>Заказы с номера { $phone }</b> · { $count }
staff-orders-found = 🔎 <b>Нашлось несколько заказов</b>
staff-orders-none = Здесь пока нет заказов.
staff-orders-row = №{ $order } · { $sum } · { $time }
staff-orders-row-stage = №{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Напишите номер заказа, телефон покупателя или номер платежа CLICK.
staff-orders-no-text = 🤔 Напишите номер текстом.
staff-orders-not-found = 😕 По запросу «{ $text }» заказов не нашлось. Напишите другой номер: заказа, телефона или платежа CLICK.
staff-orders-back = ⬅️ Заказы
staff-orders-gone = Заказа №{ $order } в этом магазине нет.
