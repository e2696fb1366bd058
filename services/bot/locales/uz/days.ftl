# Kun solishtiruvi, egalarga.
day-title = 📊 <b>{ $date }</b>: { $orders } ta buyurtma, { $sum }
day-agrees = ✅ Kassa, do‘kon va CLICK bir-biriga mos.
day-agrees-without-click = ✅ Kassa va do‘kon bir-biriga mos.
day-click-differs = ⚠️ CLICK bu to‘lovlarni boshqacha ko‘rsatmoqda: { $orders }. CLICK kabinetida tekshiring.
day-click-unanswered = ❔ CLICK { $count } ta to‘lov haqida javob bermadi.
day-shop-differs = ⚠️ Do‘konda bu buyurtmalar boshqacha yozilgan: { $orders }. Administratordan tolov audit ni ishga tushirishni so‘rang.
day-receipts-missing = 🧾 { $count } ta fiskal chek yo‘q. Sababini tolov receipts ko‘rsatadi.

# CLICK ko‘rsatadigan, ammo tasdig‘i kelmagan to‘lov.
accept-payment = ✅ To‘langan deb qabul qilish
accept-payment-done = №{ $order } buyurtma to‘landi
accept-payment-already = №{ $order } buyurtma allaqachon to‘langan: kimdir ulgurdi yoki tasdiq keldi
accept-payment-refused = №{ $order } buyurtma to‘lovini endi qabul qilib bo‘lmaydi: CLICK kabinetiga qarang
journal-payment-accepted = to‘lov qabul qilindi
