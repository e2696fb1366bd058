checkout-look-at-news = Savatda o‘zgarish bor: avval shuni ko‘ring
checkout-phone = 📞 Buyurtma bo‘yicha qaysi raqamga qo‘ng‘iroq qilaylik?

    Pastdagi raqamni tanlang yoki boshqasini yozib yuboring.
checkout-phone-first = 📞 Buyurtma bo‘yicha qaysi raqamga qo‘ng‘iroq qilaylik? Raqamni yozib yuboring, masalan +998 90 123 45 67.
checkout-keep-phone = ✅ { $phone }
phone-unreadable = Bu telefon raqamiga o‘xshamaydi. Masalan, shunday yozing: +998 90 123 45 67
checkout-delivery = 🚚 Buyurtmani qanday olasiz?

    Olib ketish manzili: { $place }
checkout-deliver = 🚚 Yetkazib berish
checkout-deliver-for = 🚚 Yetkazib berish · { $price }
checkout-pickup = 🏬 O‘zim olib ketaman
checkout-address = 📍 Qayerga yetkazaylik?
checkout-location-hint = Joylashuvni pastdagi tugma bilan yuboring yoki manzilni yozing.
checkout-share-location = 📍 Joylashuvni yuborish
checkout-same-address = 🔁 { $place }
checkout-same-location = 🔁 Avvalgi manzilga
checkout-address-unreadable = Joylashuvni yuboring yoki manzilni matn ko‘rinishida yozing.
checkout-address-taken = 📍 Qabul qilindi.
checkout-landmark = 🏠 Mo‘ljalni yozing: bino, podyezd, qavat. Shunda kuryer tezroq topadi.
checkout-text-please = Iltimos, buni matn ko‘rinishida yozing.
checkout-comment = 💬 Buyurtmaga izohingiz bormi?
checkout-summary = 📝 <b>Buyurtmangizni tekshiring</b>
checkout-place = ✅ Buyurtma berish
checkout-anew = ✏️ O‘zgartirish
checkout-back-to-cart = ⬅️ Savat
checkout-leave = ❌ Bekor qilish
checkout-price-changed = Narx o‘zgardi: yangi summani ko‘ring
checkout-not-registered = Hozir to‘lov tizimiga ulana olmayapmiz. Savatingiz joyida — birozdan so‘ng yana urinib ko‘ring.
checkout-placed-before = №{ $order } buyurtma allaqachon qabul qilingan ✅
checkout-waiting = ⏳ Sizda to‘lanmagan №{ $order } buyurtma bor: { $total }.

    Uni to‘lang yoki bekor qilib, yangisini bering.
checkout-replace = 🔁 №{ $order } o‘rniga yangisini berish
checkout-too-many = Bitta buyurtmaga { $count } donagacha sig‘adi: savatdagi sonini kamaytiring
