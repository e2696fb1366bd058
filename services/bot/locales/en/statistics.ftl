# Statistics: sales, best products, time to pay.
statistics-title-days = 📊 <b>Sales of the last 30 days</b>
statistics-title-weeks = 📊 <b>Sales of the last 12 weeks</b>
statistics-title-months = 📊 <b>Sales of the last 12 months</b>
statistics-sales = Sales: <b>{ $sum }</b>
statistics-orders = Orders sold: { $count } · buyers: { $buyers }
statistics-average = Average order: { $sum }
statistics-conversion = Placed: { $placed }, of which paid: { $paid } ({ $percent })
statistics-paid-after = Average time to payment: { $span }
statistics-best = 🏆 <b>Best sellers</b>
statistics-best-row = { $place }. { $title } — { $count } pcs, { $sum }
statistics-best-amount = { $place }. { $title } — { $amount }, { $sum }
statistics-none = No sales in this period yet.
statistics-cut = ⚠️ Not everything is counted yet: open this again in a while.
statistics-days = Days
statistics-weeks = Weeks
statistics-months = Months
statistics-chosen = • { $period }
statistics-export = 📥 CSV
statistics-file-sales = Sales by period
statistics-file-orders =
    { $count ->
        [one] Orders in this period: { $count } order
       *[other] Orders in this period: { $count } orders
    }
statistics-file-cut = Orders in this period: the first { $count }. Choose a shorter period.
statistics-minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
statistics-hours = { $count } h { $minutes } min
