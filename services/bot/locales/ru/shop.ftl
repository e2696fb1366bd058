menu-catalogue = 🛍 Каталог
stale-button = Эта кнопка устарела. Нажмите /menu
back = ⬅️ Назад
back-to-menu = 🏠 Меню
back-to-orders = ⬅️ Заказы
try-again = 🔄 Ещё раз
