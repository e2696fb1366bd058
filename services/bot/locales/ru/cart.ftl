cart-title = 🛒 <b>Ваша корзина</b>
cart-empty = 🛒 Корзина пока пуста.
    Выберите что-нибудь в каталоге — оно появится здесь.
cart-line-sum = { $count } × { $price } = <b>{ $sum }</b>
cart-line-amount = { $amount } = <b>{ $sum }</b>
cart-line-untitled = Товар №{ $product }
cart-only-left =
    { $count ->
        [one] Осталась только { $count } штука
        [few] Осталось только { $count } штуки
       *[other] Осталось только { $count } штук
    }
cart-only-left-amount = Осталось только { $amount }
cart-gone = Этого товара сейчас нет
cart-full =
    { $count ->
        [one] В корзину помещается не больше { $count } разного товара
        [few] В корзину помещается не больше { $count } разных товаров
       *[other] В корзину помещается не больше { $count } разных товаров
    }
cart-clear = 🗑 Очистить
cart-clear-surely = Убрать из корзины всё?
cart-clear-yes = 🗑 Да, очистить
cart-check-out = ✅ Оформить · { $total }
cart-change-terms = ✏️ Адрес, телефон, комментарий
cart-accept-news = 👌 Понятно, продолжим
news-dearer = Цена выросла: было { $was }, стало { $now }
news-cheaper = Цена снизилась: было { $was }, стало { $now }
news-only-left =
    { $count ->
        [one] Осталась только { $count } штука
        [few] Осталось только { $count } штуки
       *[other] Осталось только { $count } штук
    }
news-only-left-amount = Осталось только { $amount }
news-sold-out = Закончилось
news-gone = Больше не продаётся
promo-enter = 🎁 Промокод
promo-drop = 🎁 { $code } ❌
promo-ask = 🎁 Напишите промокод.
promo-unknown = Такого промокода нет. Проверьте и напишите ещё раз или нажмите /menu.
promo-expired = Срок этого промокода истёк.
promo-used-up = Лимит использований этого промокода исчерпан.
promo-used-by-you = Вы уже использовали этот промокод.
promo-too-little = Промокод действует при покупке от { $sum }.
sum-goods = Товары: { $sum }
sum-discount = Скидка ({ $code }): −{ $sum }
sum-delivery = Доставка: { $sum }
sum-total = Итого: <b>{ $sum }</b>
