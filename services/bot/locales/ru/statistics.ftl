# Цифры: продажи, лучшие товары, время до оплаты.
statistics-title-days = 📊 <b>Продажи за 30 дней</b>
statistics-title-weeks = 📊 <b>Продажи за 12 недель</b>
statistics-title-months = 📊 <b>Продажи за 12 месяцев</b>
statistics-sales = Продажи: <b>{ $sum }</b>
statistics-orders = Проданных заказов: { $count } · покупателей: { $buyers }
statistics-average = Средний чек: { $sum }
statistics-conversion = Оформлено заказов: { $placed }, из них оплачено: { $paid } ({ $percent })
statistics-paid-after = До оплаты в среднем: { $span }
statistics-best = 🏆 <b>Лучше всего продаются</b>
statistics-best-row = { $place }. { $title } — { $count } шт., { $sum }
statistics-best-amount = { $place }. { $title } — { $amount }, { $sum }
statistics-none = За это время продаж ещё не было.
statistics-cut = ⚠️ Цифры посчитаны ещё не до конца: откройте их чуть позже.
statistics-days = Дни
statistics-weeks = Недели
statistics-months = Месяцы
statistics-chosen = • { $period }
statistics-export = 📥 CSV
statistics-file-sales = Продажи по периодам
statistics-file-orders =
    { $count ->
        [one] Заказы за это время: { $count } заказ
        [few] Заказы за это время: { $count } заказа
       *[other] Заказы за это время: { $count } заказов
    }
statistics-file-cut = Заказы за это время: первые { $count }. Выберите период короче.
statistics-minutes =
    { $count ->
        [one] { $count } минута
        [few] { $count } минуты
       *[other] { $count } минут
    }
statistics-hours = { $count } ч { $minutes } мин
