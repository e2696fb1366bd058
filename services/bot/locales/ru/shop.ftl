menu-catalogue = 🛍 Каталог
stale-button = Эта кнопка устарела. Нажмите /menu
back = ⬅️ Назад
back-to-menu = 🏠 Меню
back-to-orders = ⬅️ Заказы
skip = Пропустить ➡️
try-again = 🔄 Ещё раз
