# `tolov refund` nima deydi. Har bir matn bitta satrda.

refund-sums = to‘langan: { $paid } so‘m; qaytarilgan: { $returned } so‘m
refund-by-click = onlayn karta bilan to‘langan bo‘lsa, CLICK to‘lovni to‘liq qaytara oladi
refund-by-click-until = onlayn karta bilan to‘langan bo‘lsa, CLICK to‘lovni { $until } gacha to‘liq qaytara oladi
refund-not-paid = buyurtma to‘lanmagan
refund-nothing-left = qaytariladigan pul qolmagan
refund-is-open = pul qaytarilmoqda
refund-outside-month = CLICK shu oydagi to‘lovlarni, 1-sanada esa o‘tgan oynikini ham qaytaradi: faqat qo‘lda
refund-part-before = bir qismi avval qaytarilgan: qolgani qo‘lda qaytariladi
refund-paid-in-telegram = Telegram hisobi orqali to‘langan: pulni CLICK kabinetida qaytaring
refund-api-off = CLICK_MERCHANT_USER_ID berilmagan: faqat qo‘lda

refund-line = { $refund }-qaytarish, { $sum } so‘m, { $at } da { $by } so‘ragan: { $state }
refund-requested = so‘ralgan
refund-sending = yuborilmoqda
refund-asking = natijasi CLICKdan so‘ralmoqda
refund-unknown = natijasi noma’lum: CLICK kabinetini tekshiring, so‘ng --by-hand yoki --retry
refund-refused-by-click = CLICK rad etdi ({ $code } { $note }): pulni qo‘lda qaytaring, so‘ng --by-hand
refund-manual = qo‘lda, chunki { $why }: pulni qaytaring, so‘ng --by-hand
refund-done = CLICK orqali qaytarilgan
refund-done-by-hand = qo‘lda qaytarilgan: { $document }
refund-withdrawn = bekor qilingan
refund-why-outside-month = CLICK faqat shu oydagi to‘lovlarni qaytaradi
refund-why-part = CLICK to‘lovni faqat to‘liq qaytaradi
refund-why-api-off = do‘konda CLICK Merchant API ulanmagan
refund-why-in-telegram = Telegram hisobi orqali to‘langan, CLICK Merchant API esa uni bilmaydi
refund-why-not-found = CLICK to‘lovni topmadi
refund-why-looks-reversed = CLICKda to‘lov to‘lanmagan ko‘rinmoqda, bu yerdan esa hech narsa yuborilmagan (pul allaqachon qaytarilgan bo‘lishi mumkin)
refund-why-ledger-restored = to‘lovlar daftari zaxira nusxadan tiklandi, unda bu qaytarish ochiq edi (o‘shandan beri pul qaytarilgan yoki qaytarish bekor qilingan bo‘lishi mumkin)

refund-ask-through-click = { $order } buyurtma uchun { $sum } so‘m CLICK orqali qaytarilsinmi?
refund-ask-in-cabinet = { $order } buyurtma uchun siz CLICK kabinetida qo‘lda qaytaradigan { $sum } so‘m yozib qo‘yilsinmi?
refund-ask-by-hand = { $sum } so‘m haqiqatan qo‘lda qaytarildimi?
refund-ask-retry = Kabinetda { $sum } so‘m qaytmagani ko‘rinyaptimi?
refund-ask-withdraw = { $sum } so‘mni qaytarish bekor qilinsinmi? Pul qaytarilmaydi.
refund-write-yes = yes deb yozing:
refund-nothing-done = hech narsa qilinmadi

refund-order-unknown = to‘lovlar daftarida { $order } buyurtma yo‘q
refund-decide-first = bu buyurtma puli qaytarilmoqda: --by-hand, --retry yoki --withdraw hal qiladi
refund-none-open = bu buyurtmada ochiq qaytarish yo‘q
refund-not-within = qaytariladigan { $left } so‘m qoldi: --amount uchun 0 dan katta va shundan oshmaydigan summa yozing
refund-lines-not-left = mahsulot sotib olingan va hali qaytarilmaganidan ko‘p, yoki buyurtmada yo‘q: --lines ni tekshiring
refund-refused = rad etildi, { $code }: { $reason }
refund-other-request = bunday so‘rov avval bo‘lgan, mazmuni esa boshqa
refund-not-allowed = hozirgi holati bunga yo‘l qo‘ymaydi
refund-stale = xuddi shu paytda o‘zgarish bo‘ldi: yana bir bor ko‘ring
