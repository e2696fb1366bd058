# /trace, egalar uchun: buyurtma haqida ma’lum bo‘lgan hamma narsa.
trace-which = 🧾 Buyruqdan keyin buyurtma raqamini yozing: /trace 1001
trace-nothing = { $order }-buyurtma hech kimga ma’lum emas.
trace-title = 🧾 <b>{ $order }-buyurtma</b>: u haqida ma’lum bo‘lgan hamma narsa, eng avvalgisidan boshlab
trace-entry = { $time } · <b>{ $source }</b>
    { $text }
trace-now = hozir
trace-more = Yana { $count } ta yozuv sig‘madi. Hammasini serverda <code>tolov trace { $order }</code> ko‘rsatadi.
