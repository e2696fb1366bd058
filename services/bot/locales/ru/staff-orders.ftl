# Заказ глазами сотрудников: пост в канале и карточка в личном чате.
staff-order-title = 🛒 <b>Заказ №{ $order }</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
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
staff-order-late = ⚠️ <b>Деньги пришли поздно</b>: заказ к тому времени был закрыт. Проверьте, есть ли товар.
staff-order-missing = ⚠️ <b>Не хватает на складе:</b> { $title }, нужно: { $count } шт.
staff-order-give-back = 👉 Верните деньги в кабинете CLICK, после этого владелец нажмёт «Деньги возвращены».
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · покупатель
staff-history-title = <b>История</b>
staff-history-note = { $time } { $what } { $detail } · { $who }

event-payment-completed = платёж подтверждён
event-payment-cancelled = CLICK отменил платёж
event-payment-questioned = платёж нужно проверить
event-order-expired = срок оплаты истёк

staff-stage-placing = оформляется
staff-stage-waiting = ждёт оплаты
staff-stage-paid = оплачен
staff-stage-preparing = готовится
staff-stage-ready = готов
staff-stage-on-the-way = в пути
staff-stage-delivered = вручён
staff-stage-cancelled = отменён
staff-stage-expired = срок истёк
staff-stage-refunded = деньги возвращены

deed-accept = ✅ Принять
deed-make-ready = 📦 Готов
deed-send-off = 🚚 В пути
deed-deliver = 🏁 Вручён
deed-cancel = ❌ Отменить
deed-refund = 💸 Деньги возвращены
deed-sure-cancel = ❌ Да, отменить
deed-sure-refund = 💸 Да, деньги возвращены
deed-not-sure = ⬅️ Нет, назад
deed-ask-cancel = ❓ <b>Отменить заказ №{ $order }?</b>
deed-ask-refund = ❓ <b>Вы действительно вернули { $sum } за заказ №{ $order } в кабинете CLICK?</b>

deed-done-placed = оформлен
deed-done-registered = можно оплатить
deed-done-paid = оплачен
deed-done-accepted = принят
deed-done-made-ready = готов
deed-done-sent-off = отправлен
deed-done-delivered = вручён
deed-done-cancelled = отменён
deed-done-expired = срок истёк
deed-done-refunded = деньги возвращены

deed-not-allowed = Это действие вам недоступно. Если нужно, попросите владельца магазина дать вам право.
deed-already = Это уже сделано: { $who }, { $time }
deed-already-someone = Это уже сделано.
deed-toast = №{ $order }: { $what }
deed-give-back = Заказ №{ $order } отменён. Теперь верните { $sum } в кабинете CLICK.
deed-paid-meanwhile = Заказ №{ $order } только что оплатили, поэтому он не отменён. Если нужно, отмените его ещё раз.

panel-orders = 📋 Заказы
panel-broadcast = 📣 Рассылка
panel-statistics = 📊 Статистика

staff-orders-title = 📋 <b>Заказы</b>
    Выберите этап или найдите заказ.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Найти
staff-orders-in = 📋 <b>Заказы: { $stage }</b> · { $count }
staff-orders-of = 📋 <b>Заказы с номера { $phone }</b> · { $count }
staff-orders-found = 🔎 <b>Нашлось несколько заказов</b>
staff-orders-none = Здесь пока нет заказов.
staff-orders-row = №{ $order } · { $sum } · { $time }
staff-orders-row-stage = №{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Напишите номер заказа, телефон покупателя или номер платежа CLICK.
staff-orders-no-text = 🤔 Здесь нужен номер текстом.
staff-orders-not-found = 😕 По запросу «{ $text }» заказов не нашлось. Напишите другой номер: заказа, телефона или платежа CLICK.
staff-orders-back = ⬅️ Заказы
staff-orders-gone = Заказа №{ $order } в этом магазине нет.
