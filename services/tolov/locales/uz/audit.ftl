# `tolov audit` nima deydi. Har bir matn bitta satrda.

audit-order-unknown = { $order }-buyurtma to‘lovlar daftarida to‘langan, do‘kon esa uni bilmaydi
audit-order-not-paid = { $order }-buyurtma to‘lovlar daftarida to‘langan, do‘konda esa to‘lanmagan
audit-user-differs = { $order }-buyurtma to‘lovlar daftarida to‘langan, do‘konda esa uning xaridori boshqa
audit-amount-differs = { $order }-buyurtma to‘lovlar daftarida to‘langan, do‘konda esa uning summasi boshqa
audit-payment-differs = { $order }-buyurtma to‘lovlar daftarida to‘langan, do‘konda esa uning to‘lovi boshqa
audit-order-unreadable = Do‘kondagi { $order }-buyurtma o‘qilmaydi: { $reason }
audit-paid-in-shop-alone = { $order }-buyurtma do‘konda to‘langan, to‘lovlar daftarida esa holati: { $status }
audit-open-in-shop-alone = { $order }-buyurtma to‘lovlar daftarida to‘lanmay yopilgan, do‘konda esa hali to‘lov kutmoqda
audit-stock-not-settled = { $order }-buyurtma bo‘yicha qoldiq hisobga olinmagan
audit-refund-unknown = { $order } buyurtmaning { $refund }-qaytarishi to‘lovlar daftarida bajarilgan, do‘kon bazasida esa yo‘q
audit-refund-amount-differs = { $order } buyurtmaning { $refund }-qaytarishi do‘kon bazasida boshqa summada
audit-refund-in-shop-alone = { $order } buyurtmaning { $refund }-qaytarishi haqida faqat do‘kon bazasi biladi
audit-refund-hangs = { $order } buyurtmaning { $refund }-qaytarishi bir kundan ortiq { $state } holatida turibdi
audit-shopper-not-told = { $order }-buyurtma to‘langan, xaridorga esa xabar berilmagan
audit-staff-not-told = { $order }-buyurtma to‘langan, xodimlarga esa xabar berilmagan
audit-question-not-told = xodimlarga { $event } haqida aytilmagan
audit-order-count = Xaridor { $user } ning to‘langan buyurtmalari { $paid } ta, yozilgani esa { $counted } ta
audit-stock-held-for-nothing = { $article }-mahsulotdan { $count } tasi { $order }-buyurtma uchun band, unga esa endi kerak emas
audit-event-unsent = { $event } hodisasi shinani bir daqiqadan ortiq kutmoqda: { $reason }
audit-message-parked = { $message } xabari { $queue } da chetga olingan: { $reason }
audit-status-unknown = noma’lum
audit-not-asked = shinadan hali so‘ralmagan yoki u javob bermayapti

audit-do-repair-order = tolov audit --repair do‘konni to‘lovlar daftariga moslaydi va hodisani yana bir marta yuboradi
audit-do-compare-payments = buyurtmani va ikkala to‘lovni CLICK kabinetida solishtiring, ikki marta to‘langanini qaytaring; daftar to‘g‘ri bo‘lsa, tolov rebuild ORDER do‘konni unga moslaydi
audit-do-repair-document = hujjatni tuzating yoki o‘chiring, keyin qayta solishtiring
audit-do-look-at-click = to‘lovni CLICK kabinetidan toping: pul kelgan bo‘lsa, daftar juda eski nusxadan tiklangan; kelmagan bo‘lsa, do‘konga kimdir yozgan
audit-do-settle = tolov audit --repair hisobga oladi; yordam bermasa, projector jurnalida aytilgan mahsulot, xaridor yoki promokodni tuzating
audit-do-replay = tolov audit --repair buyurtma hodisalarini yana bir marta yuboradi; projector ishlayaptimi?
audit-do-compare-refund = buyurtmani CLICK kabineti bilan solishtiring; u yerda qaytarilganini tolov refund ORDER --by-hand yozib qo‘yadi
audit-do-decide-refund = tolov refund ORDER --show u nimani kutayotganini aytadi; --by-hand, --retry yoki --withdraw hal qiladi
audit-do-publish = tolov audit --repair hodisani yana bir marta yuboradi; bot ishlayaptimi?
audit-do-count = tolov audit --repair to‘langan buyurtmalarni qayta sanaydi
audit-do-restock = tolov audit --repair qoldiqqa qaytaradi
audit-do-bring-bus-back = RabbitMQ ni ishga tushiring; sababi webhook jurnalida. Hodisa o‘zi yuboriladi
audit-do-requeue = sababini bartaraf eting, keyin tolov audit --repair yoki tolov parked requeue

audit-repaired = tuzatildi
audit-not-repaired = tuzatilmadi: { $reason }
audit-more = va yana { $count } ta: shularni tuzating, keyin qayta solishtiring
audit-found-none = farq yo‘q
audit-found-one = 1 ta farq
audit-found = { $count } ta farq
audit-summary = { $found }; to‘lovlar daftari: { $ledger-orders } ta buyurtma { $ledger-soum } so‘mga to‘langan, do‘kon: { $shop-orders } ta { $shop-soum } so‘mga; { $users } kishi, { $products } mahsulot
