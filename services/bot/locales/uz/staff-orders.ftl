# Buyurtma xodimlar ko'zi bilan: kanaldagi post va shaxsiy chatdagi karta.
staff-order-title = 🛒 <b>Buyurtma №{ $order }</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
staff-order-goods = Mahsulotlar: { $sum }
staff-order-discount = Chegirma ({ $code }): −{ $sum }
staff-order-delivery = Yetkazib berish: { $sum }
staff-order-total = Jami: <b>{ $sum }</b>
staff-order-payment = CLICK to'lov raqami: <code>{ $payment }</code>
staff-order-pickup = 🏬 Xaridor o'zi olib ketadi
staff-order-address = 📍 { $address }
staff-order-location = 📍 Xaritadagi joy
staff-order-landmark = 🏠 { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Xaritada ko'rish
staff-order-late = ⚠️ <b>Pul kech keldi</b>: buyurtma o'sha payt yopilgan edi. Mahsulot borligini tekshiring.
staff-order-missing = ⚠️ <b>Omborda yetishmaydi:</b> { $title }, kerak: { $count } dona
staff-order-give-back = 👉 Pulni CLICK kabinetida qaytaring, so'ng egasi «Pul qaytarildi» tugmasini bosadi.
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · xaridor
staff-history-title = <b>Tarix</b>
staff-history-note = { $time } { $what } { $detail } · { $who }

event-payment-completed = to'lov tasdiqlandi
event-payment-cancelled = CLICK to'lovni bekor qildi
event-payment-questioned = to'lovni tekshirish kerak
event-order-expired = to'lov muddati o'tdi

staff-stage-placing = rasmiylashtirilmoqda
staff-stage-waiting = to'lov kutilmoqda
staff-stage-paid = to'langan
staff-stage-preparing = tayyorlanmoqda
staff-stage-ready = tayyor
staff-stage-on-the-way = yo'lda
staff-stage-delivered = topshirildi
staff-stage-cancelled = bekor qilingan
staff-stage-expired = muddati o'tgan
staff-stage-refunded = pul qaytarilgan

deed-accept = ✅ Qabul qilish
deed-make-ready = 📦 Tayyor
deed-send-off = 🚚 Yo'lga chiqdi
deed-deliver = 🏁 Topshirildi
deed-cancel = ❌ Bekor qilish
deed-refund = 💸 Pul qaytarildi
deed-sure-cancel = ❌ Ha, bekor qilinsin
deed-sure-refund = 💸 Ha, pul qaytarildi
deed-not-sure = ⬅️ Yo'q, qaytish
deed-ask-cancel = ❓ <b>Buyurtma №{ $order } bekor qilinsinmi?</b>
deed-ask-refund = ❓ <b>№{ $order } uchun { $sum } CLICK kabinetida haqiqatan qaytarildimi?</b>

deed-done-placed = rasmiylashtirildi
deed-done-registered = to'lovga tayyor bo'ldi
deed-done-paid = to'landi
deed-done-accepted = qabul qilindi
deed-done-made-ready = tayyor bo'ldi
deed-done-sent-off = yo'lga chiqdi
deed-done-delivered = topshirildi
deed-done-cancelled = bekor qilindi
deed-done-expired = muddati o'tdi
deed-done-refunded = pul qaytarildi

deed-not-allowed = Bu amal sizga ochiq emas. Kerak bo'lsa, do'kon egasidan ruxsat so'rang.
deed-already = Bu ish allaqachon bajarilgan: { $who }, { $time }
deed-already-someone = Bu ish allaqachon bajarilgan.
deed-toast = №{ $order }: { $what }
deed-give-back = №{ $order } bekor qilindi. Endi { $sum }ni CLICK kabinetida qaytaring.
deed-paid-meanwhile = №{ $order } shu orada to'landi, shuning uchun bekor qilinmadi. Kerak bo'lsa, yana bir marta bekor qiling.

panel-orders = 📋 Buyurtmalar
panel-broadcast = 📣 Hammaga xabar
panel-statistics = 📊 Statistika

staff-orders-title = 📋 <b>Buyurtmalar</b>
    Bosqichni tanlang yoki buyurtmani qidiring.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Qidirish
staff-orders-in = 📋 <b>Buyurtmalar: { $stage }</b> · { $count }
staff-orders-of = 📋 <b>{ $phone } raqamining buyurtmalari</b> · { $count }
staff-orders-found = 🔎 <b>Bir nechta buyurtma topildi</b>
staff-orders-none = Bu yerda hozircha buyurtma yo'q.
staff-orders-row = №{ $order } · { $sum } · { $time }
staff-orders-row-stage = №{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Buyurtma raqamini, xaridor telefonini yoki CLICK to'lov raqamini yozing.
staff-orders-no-text = 🤔 Bu yerda raqam matn bilan yoziladi.
staff-orders-not-found = 😕 «{ $text }» bo'yicha buyurtma topilmadi. Boshqa raqam yozing: buyurtma raqami, telefon yoki CLICK to'lov raqami.
staff-orders-back = ⬅️ Buyurtmalar
staff-orders-gone = №{ $order } raqamli buyurtma bu do'konda topilmadi.
