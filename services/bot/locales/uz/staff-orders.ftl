# Buyurtma xodimlar ko‘zi bilan: kanaldagi post va shaxsiy chatdagi karta.
staff-order-title = 🛒 <b>№{ $order } buyurtma</b> · { $stage }
staff-order-shopper = 👤 { $shopper }, { $phone }
staff-order-shopper-unknown = 👤 { $shopper }
staff-order-goods = Mahsulotlar: { $sum }
staff-order-discount = Chegirma ({ $code }): −{ $sum }
staff-order-delivery = Yetkazib berish: { $sum }
staff-order-total = Jami: <b>{ $sum }</b>
staff-order-payment = CLICK to‘lov raqami: <code>{ $payment }</code>
staff-order-pickup = 🏬 Xaridor o‘zi olib ketadi
staff-order-address = 📍 { $address }
staff-order-location = 📍 Xaritadagi joy
staff-order-landmark = 🏠 { $landmark }
staff-order-comment = 💬 { $comment }
staff-order-map = 🗺 Xaritada ko‘rish
staff-order-late = ⚠️ <b>To‘lov buyurtma yopilgandan keyin keldi.</b> Mahsulot borligini tekshiring.
staff-order-missing = ⚠️ <b>Omborda yetishmaydi:</b> { $title }, kerak: { $count } dona
staff-order-missing-amount = ⚠️ <b>Omborda yetishmaydi:</b> { $title }, kerak: { $amount }
staff-order-give-back = 👉 Pulni «Pulni qaytarish» tugmasi bilan yoki CLICK kabinetida qaytaring. Kabinetda yoki o‘tkazma bilan qaytarilgan bo‘lsa, do‘kon egasi «Qo‘lda qaytarildi»ni bosadi.
staff-history = { $time } { $what }
staff-history-staff = { $time } { $what } · { $who }
staff-history-shopper = { $time } { $what } · xaridor
staff-history-title = <b>Tarix</b>

event-payment-cancelled = CLICK to‘lovni bekor qildi
event-payment-questioned = to‘lovni tekshirish kerak

staff-stage-placing = Rasmiylashtirilmoqda
staff-stage-waiting = To‘lov kutilmoqda
staff-stage-paid = To‘langan
staff-stage-preparing = Yig‘ilmoqda
staff-stage-ready = Tayyor
staff-stage-on-the-way = Yo‘lda
staff-stage-delivered = Yetkazildi
staff-stage-picked-up = Topshirildi
staff-stage-cancelled = Bekor qilingan
staff-stage-expired = To‘lov muddati o‘tgan
staff-stage-refunded = Pul qaytarilgan

action-accept = ✅ Qabul qilish
action-make-ready = 📦 Tayyor
action-send-off = 🚚 Yo‘lga chiqdi
action-deliver = 🏁 Yetkazildi
action-hand-over = 🏁 Topshirildi
action-cancel = ❌ Bekor qilish
action-refund = ✅ Qo‘lda qaytarildi
action-sure-cancel = ❌ Ha, bekor qilinsin
action-sure-refund = 💸 Ha, pul qaytarildi
action-not-sure = ⬅️ Yo‘q, qaytish
action-ask-cancel = ❓ <b>№{ $order } buyurtma bekor qilinsinmi?</b>

action-done-placed = rasmiylashtirildi
action-done-registered = to‘lovga tayyor bo‘ldi
action-done-paid = to‘landi
action-done-accepted = qabul qilindi
action-done-made-ready = tayyor bo‘ldi
action-done-sent-off = yo‘lga chiqdi
action-done-delivered = yetkazildi
action-done-picked-up = topshirildi
action-done-cancelled = bekor qilindi
action-done-expired = to‘lov muddati o‘tdi
action-done-refunded = pul qaytarildi

action-not-allowed = Bunga ruxsatingiz yo‘q. Kerak bo‘lsa, do‘kon egasidan so‘rang.
action-already = Bu ish allaqachon bajarilgan: { $who }, { $time }
action-already-someone = Bu ish allaqachon bajarilgan.
action-toast = №{ $order } buyurtma: { $what }
action-give-back = №{ $order } buyurtma bekor qilindi. Endi { $sum }ni qaytaring: «Pulni qaytarish» tugmasi yoki CLICK kabineti orqali.
action-paid-meanwhile = №{ $order } buyurtma shu orada to‘landi, shuning uchun bekor qilinmadi. Kerak bo‘lsa, yana bir marta bekor qiling.

panel-orders = 📋 Buyurtmalar
panel-broadcast = 📣 Hammaga xabar
panel-statistics = 📊 Statistika

staff-orders-title = 📋 <b>Buyurtmalar</b>
    Bosqichni tanlang yoki buyurtmani qidiring.
staff-orders-stage = { $stage } · { $count }
staff-orders-find = 🔎 Qidirish
staff-orders-in = 📋 <b>Buyurtmalar · { $stage }</b> · { $count }
staff-orders-in-past = 📋 <b>Buyurtmalar · { $stage }</b>
staff-orders-of = 📋 <b>{ $phone } raqamidan berilgan buyurtmalar</b> · { $count }
staff-orders-found = 🔎 <b>Bir nechta buyurtma topildi</b>
staff-orders-none = Bu yerda hozircha buyurtma yo‘q.
staff-orders-row = №{ $order } · { $sum } · { $time }
staff-orders-row-stage = №{ $order } · { $stage } · { $sum }
staff-orders-ask = 🔎 Buyurtma raqamini, xaridor telefonini yoki CLICK to‘lov raqamini yozing.
staff-orders-no-text = 🤔 Raqamni matn qilib yozing.
staff-orders-not-found = 😕 «{ $text }» bo‘yicha buyurtma topilmadi. Boshqa raqam yozing: buyurtma raqami, telefon yoki CLICK to‘lov raqami.
staff-orders-back = ⬅️ Buyurtmalar
staff-orders-gone = №{ $order } raqamli buyurtma bu do‘konda topilmadi.
