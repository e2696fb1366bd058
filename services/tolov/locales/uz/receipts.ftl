# `tolov receipts` nima deydi. Har bir matn bitta satrda.

receipts-missing = yetishmayotgan cheklar: { $count }
receipts-line = { $order } buyurtma, { $sum } so‘m: { $state }
receipts-needed = yuboriladi
receipts-sent-again = CLICK mahsulotlarni qabul qilmadi ({ $code } { $note }); ular yana yuboriladi
receipts-submitting = yuborilmoqda
receipts-unknown = yuborilgan, natijasi CLICKdan so‘ralmoqda
receipts-submitted = CLICK qabul qilgan, chek manzili hali ma’lum emas
receipts-none = chek yo‘q: { $why }
receipts-none-with-code = chek yo‘q: { $why } ({ $code } { $note })
receipts-by-hand = qo‘lda ({ $by }): { $document }
receipts-closing = { $todo }; qo‘lda qilingani --by-hand "HUJJAT" bilan yopiladi
receipts-return = pul qaytarilgan, qaytarishning o‘z cheki kerak: u chiqarilganini CLICK kabinetida tekshiring, chiqarilmagan bo‘lsa, kassangizda chiqaring; so‘ng --by-hand "HUJJAT"
receipts-not-there = to‘lovlar daftarida { $order } buyurtmaning cheki yo‘q yoki buyurtma to‘lanmagan
receipts-refused = rad etildi, { $code }: { $reason }
receipts-not-allowed = hozirgi holati bunga yo‘l qo‘ymaydi
receipts-stale = xuddi shu paytda o‘zgarish bo‘ldi: yana bir bor ko‘ring

receipts-no-codes = buyurtma paytida mahsulot yoki yetkazib berishning MXIKi, qadoq kodi yoki QQS stavkasi yo‘q edi
receipts-no-codes-do = keyingi buyurtmalar uchun mahsulotga kodlarini bering; bu chekni CLICK kabinetida yoki kassangizda chiqaring
receipts-in-telegram = Telegram hisobi orqali to‘langan, CLICK Merchant API esa uni bilmaydi
receipts-in-telegram-do = u yerda chiqarilganini CLICK kabinetida tekshiring, chiqarilmagan bo‘lsa, kassangizda chiqaring
receipts-not-found = CLICK to‘lovni topmadi
receipts-not-found-do = to‘lovni CLICK kabinetida qidiring; u yerda bo‘lsa, --retry, bo‘lmasa, CLICK qo‘llab-quvvatlash xizmatiga yozing
receipts-refused-items = CLICK muddat tugaguncha mahsulotlarni qabul qilmadi
receipts-refused-items-do = CLICK javobini o‘qing, u aytgan narsani (reyestrdagi kodlar, sotuvchi) CLICK qo‘llab-quvvatlash xizmati bilan tuzating, so‘ng --retry
receipts-no-answer = CLICK muddat tugaguncha ishonsa bo‘ladigan javob bermadi
receipts-no-answer-do = CLICK yana javob berganda (`tolov doctor`) --retry: avval undan chek so‘raladi
receipts-no-address = CLICK mahsulotlarni qabul qilgan, lekin bir haftadan beri chek manzilini bermayapti
receipts-no-address-do = chiqarilganini CLICK kabinetida tekshiring; CLICK qo‘llab-quvvatlash xizmatidan so‘rang, javobgacha ikkinchisini chiqarmang
receipts-refunded = mahsulotlar yuborilmay turib pul qaytarilgan
receipts-refunded-do = hech narsa sotilmagan: soliq maslahatchingiz ikkala chekni talab qilmasa, hujjat o‘rniga qaytarish raqami bilan yoping
receipts-content-lost = buyurtma tiklashda qaytgan, nima sotilgani hech kimga ma’lum emas
receipts-content-lost-do = CLICKda uning cheki yo‘q: xaridordan nima olganini so‘rang va kassangizda chiqaring
receipts-content-differs = RECEIPT_SELLER yoki CLICK_SERVICE_ID chek avval yuborilgandagidan boshqa
receipts-content-differs-do = chiqarilganini CLICK kabinetida tekshiring; chiqarilmagan bo‘lsa, avvalgi qiymatni qaytaring va --retry
