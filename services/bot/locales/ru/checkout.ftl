checkout-look-at-news = В корзине есть изменения: сначала посмотрите их
checkout-phone = 📞 По какому номеру с вами связаться?

    Выберите номер ниже или напишите другой.
checkout-phone-first = 📞 По какому номеру с вами связаться? Напишите его, например +998 90 123 45 67.
checkout-keep-phone = ✅ { $phone }
phone-unreadable = Это не похоже на номер телефона. Напишите, например, так: +998 90 123 45 67
checkout-delivery = 🚚 Как вы получите заказ?

    Адрес самовывоза: { $place }
checkout-deliver = 🚚 Доставка
checkout-deliver-for = 🚚 Доставка · { $price }
checkout-pickup = 🏬 Заберу сам
checkout-address = 📍 Куда доставить?
checkout-location-hint = Отправьте геопозицию кнопкой ниже или напишите адрес.
checkout-share-location = 📍 Отправить геопозицию
checkout-same-address = 🔁 { $place }
checkout-same-location = 🔁 Туда же, куда в прошлый раз
checkout-address-unreadable = Отправьте геопозицию или напишите адрес текстом.
checkout-address-taken = 📍 Принято.
checkout-landmark = 🏠 Напишите ориентир: дом, подъезд, этаж. Так курьер найдёт быстрее.
checkout-text-please = Пожалуйста, напишите текстом.
checkout-comment = 💬 Комментарий к заказу? Можно пропустить.
checkout-summary = 📝 <b>Проверьте, всё ли верно</b>
checkout-place = ✅ Заказать
checkout-anew = ✏️ Изменить
checkout-back-to-cart = ⬅️ Корзина
checkout-leave = ❌ Отменить
checkout-price-changed = Цена изменилась: посмотрите новую сумму
checkout-not-registered = Сейчас не получается связаться с платёжной системой. Корзина на месте — попробуйте ещё раз чуть позже.
checkout-placed-before = Заказ №{ $order } уже оформлен ✅
checkout-waiting = ⏳ У вас есть неоплаченный заказ №{ $order } на { $total }.

    Оплатите его или замените новым.
checkout-replace = 🔁 Заменить №{ $order } новым
checkout-too-many = В один заказ помещается до { $count } шт.: уменьшите количество в корзине
