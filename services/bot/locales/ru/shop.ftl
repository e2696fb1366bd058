menu-catalogue = 🛍 Каталог
stale-button = Эта кнопка устарела. Нажмите /menu
