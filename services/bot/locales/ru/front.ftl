# Витрина: знакомство, меню, каталог, поиск, профиль, помощь.
back-to-found = ⬅️ Результаты

language-name = 🇷🇺 Русский
language-ask = Выберите язык:
language-set = Язык изменён: русский

greeting =
    Здравствуйте, <b>{ $name }</b>! 👋

    Добро пожаловать в наш магазин. Прямо здесь можно выбрать товар, оплатить через CLICK и следить за заказом.
phone-ask = Отправьте номер телефона: нажмите кнопку внизу или напишите его, например +998 90 123 45 67.
phone-share = 📱 Отправить мой номер
phone-kept = ✅ Спасибо! Номер сохранён: { $phone }
phone-anothers = Это номер другого человека. Чтобы отправить свой, нажмите кнопку внизу.
phone-unclear = Это не похоже на номер телефона. Нажмите кнопку внизу или напишите так: +998 90 123 45 67.
keyboard-put-away = Хорошо 👌

menu-title =
    🏠 <b>Главное меню</b>

    Что будем искать? Напишите название товара, и я сразу его найду.
menu-search = 🔎 Поиск
menu-cart = 🛒 Корзина
menu-cart-filled = 🛒 Корзина ({ $count })
menu-orders = 📦 Мои заказы
menu-profile = 👤 Профиль
menu-help = ℹ️ Помощь
menu-support = ✍️ Написать нам
menu-staff = 🧰 Для сотрудников

catalogue-title = 🛍 <b>Каталог</b>
catalogue-empty = Каталог пока пуст. Скоро здесь появятся товары, загляните позже!
category-title =
    <b>{ $title }</b>
    { $count ->
        [one] { $count } товар
        [few] { $count } товара
       *[other] { $count } товаров
    }
category-empty =
    <b>{ $title }</b>

    В этом разделе пока нет товаров.
category-gone = Этого раздела больше нет. В каталоге есть другие:
product-gone = Этот товар больше не продаётся. Посмотрите другие в каталоге:
label-price = { $title } · { $price }
label-sold-out = { $title } · нет в наличии
price-from = от { $price }

card-title = <b>{ $title }</b>
card-description = { $text }
card-price = 💰 <b>{ $price }</b>
card-only-left =
    { $count ->
        [one] ⚡️ Осталась всего { $count } шт.
       *[other] ⚡️ Осталось всего { $count } шт.
    }
card-only-left-amount = ⚡️ Осталось всего { $amount }
card-sold-out = ❌ Пока нет в наличии
card-choose = Какой вариант вам подходит?
card-count = { $count } шт.
card-add = 🛒 В корзину
card-check-out = ✅ Оформить
card-share = 📤 Поделиться
quantity-ask =
    <b>{ $title }</b>

    Сколько нужно? Напишите количество, например 25.
quantity-unclear = Напишите количество числом: от 1 до { $most }. Если написать 0, товар будет убран из корзины.
quantity-ask-amount =
    <b>{ $title }</b>

    Сколько нужно? Напишите, например { $example }. Продаётся с шагом { $portion }.
quantity-unclear-amount = Напишите, сколько нужно, числом: кратно { $portion }, не больше { $most }. Если написать 0, товар будет убран из корзины.

search-ask =
    🔎 Что ищем? Напишите название товара, можно не полностью.
search-inline = ⚡️ Быстрый поиск
search-again = 🔎 Искать ещё
search-found =
    { $count ->
        [one] 🔎 «{ $query }»: найден { $count } товар
        [few] 🔎 «{ $query }»: найдено { $count } товара
       *[other] 🔎 «{ $query }»: найдено { $count } товаров
    }
search-nothing =
    По запросу «{ $query }» ничего не нашлось.

    Попробуйте слово покороче или напишите нам: постараемся найти.
inline-open-shop = 🛍 Открыть магазин
group-start = 👋 Магазин работает в личном чате с ботом.
inline-buy = 🛒 Купить

profile-title = 👤 <b>{ $name }</b>
profile-phone = 📱 Телефон: { $phone }
profile-no-phone = пока не указан
profile-language = 🌐 Язык: { $language }
profile-orders = 📦 Оплаченных заказов: { $count }
profile-friends = 👥 Приглашено друзей: { $count }
profile-change-language = 🌐 Язык
profile-change-phone = 📱 Телефон
profile-invite = 👥 Пригласить друга
invite-text =
    👥 <b>Пригласите друзей</b>

    Ваша ссылка: { $link }

    Пришло по ссылке: { $count }
invite-share = 📤 Отправить ссылку
invite-message = Здесь удобно покупать, посмотрите:
friend-joined = 🎉 По вашей ссылке пришёл новый покупатель: { $name }. Спасибо!

help-text =
    ℹ️ <b>Помощь</b>

    🛍 Выберите товар в каталоге или напишите его название, чтобы найти.
    🛒 Добавьте в корзину и оформите заказ.
    💳 Оплатите через CLICK: как только деньги поступят, мы сообщим вам здесь.
    📦 Где ваш заказ, видно в разделе «Мои заказы».
help-end = Остались вопросы? Напишите нам, мы ответим.
terms-text =
    <b>Условия покупки</b>

    Действует то, что указано в заказе до оплаты: товары, цены и доставка. Оплата проходит через CLICK. Заказ, не оплаченный вовремя, отменяется, и вы ничего не платите.

    Если вы не получили оплаченное, напишите нам: деньги вернутся на карту, с которой платили, или переводом.
command-menu = Главное меню
command-search = Поиск товара
command-cart = Корзина
command-orders = Мои заказы
command-profile = Профиль
command-language = Сменить язык
command-phone = Сменить номер телефона
command-help = Помощь
command-support = Написать нам
command-terms = Условия покупки
unknown-command = Такой команды нет. Ответьте на вопрос или нажмите /menu.
