told-receipt = 🧾 №{ $order } buyurtma cheki: <a href="{ $url }">ofd.soliq.uz saytida ochish</a>
order-receipt = 🧾 <a href="{ $url }">Chek</a>
receipt-data-missing = ⚠️ Cheklar yoqilgan, bu mahsulotning ma’lumoti esa to‘liq emas: MXIK, qadoq kodi va QQS kerak.
