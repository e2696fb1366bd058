# Панель сотрудников.
panel-title = 🛠 <b>Панель сотрудников</b>
    { $name } · { $role }

    Чем займёмся?
panel-catalogue = 📚 Каталог
panel-promo = 🎟 Промокоды
panel-staff = 👥 Сотрудники
panel-journal = 🗒 Журнал
panel-to-shop = 🛍 В магазин
panel-back = ⬅️ К панели
role-owner = Владелец
role-manager = Менеджер
role-courier = Курьер
staff-no-right = На это у вас нет прав. Если они нужны, обратитесь к владельцу магазина.
