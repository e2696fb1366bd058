# Xodimlar kanalidagi xabarlar.
staff-paid-title = 🛒 <b>№{ $order } buyurtma to‘landi</b>
staff-late-title = ⚠️ <b>№{ $order } buyurtma KECH to‘landi</b>
staff-questioned-title = ⚠️ <b>№{ $order } buyurtma: TO‘LOVNI TEKSHIRING</b>
staff-shopper = Xaridor: <a href="tg://user?id={ $user }">{ $user }</a>
staff-time = Vaqt: { $time }
staff-unplaced-title = ⚠️ <b>CLICK PUL QABUL QILDI, UNI BUYURTMAGA BIRIKTIRIB BO‘LMADI</b>
staff-click-transaction = CLICK tranzaksiyasi: <code>{ $transaction }</code>
staff-click-amount = CLICK aytgan summa: <b>{ $amount }</b>
staff-paid-by = Bu buyurtma <code>{ $transaction }</code> tranzaksiyasi bilan to‘langan, to‘lov <code>{ $payment }</code>
staff-click-order = CLICK aytgan buyurtma: <code>{ $order }</code>
staff-click-answer =
    { $answer ->
        [-5] CLICKka javobimiz: <code>{ $answer }</code>, bunday buyurtma yo‘q
        [-6] CLICKka javobimiz: <code>{ $answer }</code>, buyurtmada bunday to‘lov yo‘q
        [-8] CLICKka javobimiz: <code>{ $answer }</code>, so‘rovni o‘qib bo‘lmadi
       *[other] CLICKka javobimiz: <code>{ $answer }</code>
    }

staff-digest-title = 🛒 <b>Bitta postda { $count } ta xabar</b>
staff-digest-entry = №{ $order } · { $total } · CLICK { $payment } · { $time }
staff-digest-attention = ⚠️ <b>№{ $order }</b> · { $total } · CLICK { $payment } · { $time } · xaridor { $user }

todo-late = To‘lov buyurtma muddati o‘tgandan keyin keldi. Mahsulot borligini tekshiring: bo‘lsa, buyurtmani bajaring; bo‘lmasa, pulni CLICK kabinetida qaytaring va xaridorga yozing.
todo-cancel-after-paid = CLICK to‘langan to‘lovni bekor qilganini aytmoqda. Mahsulotni bermang: avval CLICK kabinetida pul qaytarilgan-qaytarilmaganini tekshiring.
todo-paid-twice = Bu buyurtma uchun ikkinchi to‘lov keldi. CLICK kabinetida tekshiring va ortiqcha to‘lovni qaytaring.
todo-confirmed-after-cancel = CLICK o‘zi bekor qilgan to‘lovni tasdiqladi. Buyurtma to‘langan deb belgilanmadi: CLICK kabinetida tekshiring, pul kelgan bo‘lsa, qaytaring yoki xaridor bilan kelishing.
todo-amount-differs = To‘lov summasi buyurtma summasidan farq qiladi va qabul qilinmadi. CLICK kabinetida tekshiring va xaridorga yozing.
todo-transaction-reused = Bitta CLICK tranzaksiyasi ikkinchi buyurtma uchun keldi va qabul qilinmadi. CLICK kabinetida tekshiring.
todo-unplaced = To‘lovni CLICK kabinetida raqami bo‘yicha toping. So‘ng pulni o‘sha yerda qaytaring yoki to‘lovchini topib, buyurtmani qo‘lda rasmiylashtiring.
todo-order-differs = To‘lovdagi xaridor yoki summa do‘kondagi №{ $order } buyurtmanikidan farq qiladi. Bu zaxira nusxadan tiklashdan keyin bo‘ladi. To‘lovni CLICK kabinetida, buyurtmani shu yerda tekshiring, so‘ng buyurtmani bajaring yoki pulni qaytaring.
todo-reported-paid = CLICK bu buyurtmani to‘langan deb ko‘rsatmoqda, ammo tasdig‘i kelmagan. To‘lovni CLICK kabinetida solishtiring: pul kelgan bo‘lsa, do‘kon egasi «To‘langan deb qabul qilish» tugmasini bosadi; so‘ng buyurtmani bajaring yoki pulni qaytaring.
todo-reported-unpaid = CLICK bu to‘lovni endi to‘langan deb ko‘rsatmayapti, bu yerda esa qaytarish qilinmagan. Mahsulotni bermang: avval CLICK kabinetida pul qaytgan-qaytmaganini tekshiring.
todo-stock-not-settled = Qoldiq, savat yoki promokodni yangilab bo‘lmadi. Bu buyurtmaning mahsulotlarini qo‘lda tekshiring va administratordan dastur jurnalini ko‘rishni so‘rang.
