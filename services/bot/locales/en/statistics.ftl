# Figures: sales, best products, time to pay.
statistics-title-days = 📊 <b>Sales of the last 30 days</b>
statistics-title-weeks = 📊 <b>Sales of the last 12 weeks</b>
statistics-title-months = 📊 <b>Sales of the last 12 months</b>
statistics-sales = Sales: <b>{ $sum }</b>
statistics-orders = Orders sold: { $count } · buyers: { $buyers }
statistics-average = Average order: { $sum }
statistics-conversion = Placed: { $placed }, paid of these: { $paid } ({ $percent })
statistics-paid-after = Time to pay on average: { $span }
statistics-best = 🏆 <b>What sells best</b>
statistics-best-row = { $place }. { $title } — { $count } pcs, { $sum }
statistics-none = There were no sales in this time yet.
statistics-cut = ⚠️ There are very many orders: the figures are of a part of them.
statistics-days = Days
statistics-weeks = Weeks
statistics-months = Months
statistics-chosen = • { $period }
statistics-export = 📥 CSV
statistics-file-sales = Sales by period
statistics-file-orders =
    { $count ->
        [one] Orders of this time: { $count } order
       *[other] Orders of this time: { $count } orders
    }
statistics-file-cut = Orders of this time: the first { $count }. Take a shorter period.
statistics-minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
statistics-hours = { $count } h { $minutes } min
