# Katalogni tahrirlash.
edit-back = ⬅️ Orqaga
edit-cancel = ❌ Bekor qilish
edit-keep = ⬅️ Yo‘q, qolsin
edit-skip = O‘tkazib yuborish
edit-make-empty = Bo‘sh qoldirish
edit-added = ✅ Qo‘shildi
edit-removed = O‘chirildi
edit-remove = 🗑 O‘chirish
edit-remove-surely = 🗑 Ha, o‘chirilsin
edit-remove-photo = Suratni olib tashlash
edit-hide = 🙈 Yashirish
edit-unhide = 👁 Ko‘rsatish
edit-hide-instead = 🙈 O‘chirmay, yashirib qo‘yish
edit-publish = ✅ Sotuvga chiqarish
edit-add-hidden = 🙈 Yashirin qo‘shish
edit-not-set = ko‘rsatilmagan
edit-not-understood = 🤔 Buni tushunmadim.
edit-catalogue-gone = Bu endi yo‘q: kimdir o‘chirib bo‘lgan
edit-categories-title = 📚 <b>Katalog</b>
    { $count } ta bo‘lim. Birini tanlang:
edit-categories-empty = 📚 <b>Katalog</b>
    Hozircha bo‘sh. Avval bo‘lim qo‘shing yoki jadvaldan yuklang.
edit-categories-back = ⬅️ Bo‘limlar
edit-categories-full = Bo‘limlar juda ko‘p: avval keraksizini o‘chiring
edit-category-add = ➕ Bo‘lim
edit-category-empty = 📂 <b>{ $title }</b>
    Bu bo‘limda hali mahsulot yo‘q.
edit-category-products = 📂 <b>{ $title }</b>
    { $count } ta mahsulot:
edit-category-settings = ⚙️ Bo‘limni sozlash
edit-category-card = ⚙️ <b>{ $title }</b>
    Menyudagi o‘rni: { $place } / { $count }
edit-category-up = ⬆️ Yuqoriga
edit-category-down = ⬇️ Pastga
edit-category-rename = ✏️ Nomi
edit-category-ask-title = Bo‘lim nomini yozing (ko‘pi bilan { $count } ta belgi).
edit-category-ask-photo = 📂 <b>{ $title }</b>

    Bo‘lim uchun surat yuboring.
edit-category-ask-removal = «<b>{ $title }</b>» bo‘limi o‘chirilsinmi?
edit-category-not-empty = Bu bo‘limda { $count } ta mahsulot bor. Avval ularni boshqa bo‘limga o‘tkazing yoki o‘chiring.
edit-product-add = ➕ Mahsulot
edit-products-full = Mahsulotlar juda ko‘p: avval keraksizini o‘chiring
edit-product-new = 🆕 <b>Yangi mahsulot</b>

    { $asked }
edit-product-asked = 📦 <b>{ $title }</b>

    { $asked }
edit-product-review = Xaridorga shunday ko‘rinadi. Sotuvga chiqaramizmi?
edit-product-preview-title = <b>{ $title }</b>
edit-product-price-stock = 💵 { $price } · { $stock }
edit-product-variants-more = … va yana { $count } ta tur
edit-product-details = — — —
    Raqami: <code>{ $id }</code> · 📂 { $category }
edit-product-no-category = bo‘limsiz
edit-product-is-hidden = 🙈 Yashirilgan: xaridorlar ko‘rmaydi
edit-product-portion = ⚖️ Sotilish qadami: { $portion }
edit-product-photos = 🖼 Suratlar: { $count }
edit-product-holds = ⏳ To‘lov kutayotgan { $count } ta buyurtma uchun olib qo‘yilgan: { $pieces }
edit-product-mxik = MXIK: <code>{ $mxik }</code>
edit-product-package = Qadoq kodi: <code>{ $code }</code>
edit-product-vat = QQS: { $percent } %
edit-product-ask-removal = «<b>{ $title }</b>» butunlay o‘chirilsinmi?
edit-product-removal-holds = ⏳ To‘lov kutayotgan { $count } ta buyurtmada { $pieces } bor. Ular kuchida qoladi: to‘lansa, yetkazish kerak bo‘ladi.
edit-product-ask-category = «<b>{ $title }</b>» qaysi bo‘limga o‘tsin?
edit-fiscal-card = 🧾 <b>{ $title }</b>: chek uchun ma’lumotlar

    MXIK: { $mxik }
    Qadoq kodi: { $package }
    QQS: { $vat }
edit-field-title = ✏️ Nomi
edit-field-description = 📝 Tavsifi
edit-field-photo = 🖼 Surati
edit-field-price = 💵 Narxi
edit-field-stock = 📦 Qoldig‘i
edit-field-variants = 🎨 Turlari ({ $count })
edit-field-fiscal = 🧾 Chek uchun
edit-field-category = 📂 Bo‘limi
edit-field-label = ✏️ Nomi
edit-field-mxik = MXIK
edit-field-package = Qadoq kodi
edit-field-vat = QQS
edit-ask-title = Mahsulot nomini yozing (ko‘pi bilan { $count } ta belgi).
edit-ask-description = Tavsifini yozing (ko‘pi bilan { $count } ta belgi).
edit-ask-price = Bir donasining narxini so‘mda, raqamlar bilan yozing. Masalan: 15 000
edit-ask-portion = Qanday sotiladi? Donalab sotilsa, tugmani bosing. Tortib yoki o‘lchab sotilsa, bir qadamini yozing, masalan: 0,5 kg, 100 g, 1 m. Buni keyin o‘zgartirib bo‘lmaydi.
edit-by-the-piece = Donalab
edit-ask-unit-price = 1 { $unit } narxini so‘mda, raqamlar bilan yozing. Masalan: 24 000
edit-ask-stock = Sotish uchun nechta bor? Butun son yozing (0 — tugagan) yoki «Cheklanmagan» tugmasini bosing.
edit-ask-stock-amount = Sotish uchun qancha bor ({ $unit })? Masalan: 12,5 (0 — tugagan). Yoki «Cheklanmagan» tugmasini bosing.
edit-ask-stock-holds = ⏳ To‘lov kutayotgan buyurtmalar uchun olib qo‘yilganini bunga qo‘shmang: { $pieces }.
edit-ask-photo = Suratini yuboring, bir nechta bo‘lsa, albom qilib (fayl emas, surat qilib).
edit-ask-mxik = MXIK kodini yozing: { $count } ta raqam. Uni tasnif.soliq.uz saytidan topasiz.
edit-ask-package = Qadoq kodini yozing: ko‘pi bilan { $count } ta raqam.
edit-ask-vat = QQS foizini yozing: 0 dan 100 gacha butun son. Masalan: 12
edit-stock-uncounted = cheklanmagan
edit-stock-none = tugagan
edit-stock-count = { $count } dona
edit-stock-do-not-count = ♾ Cheklanmagan
edit-variants-none = 🎨 <b>{ $title }</b>
    Turlari yo‘q: o‘z narxi va qoldig‘i bilan sotiladi. Tur qo‘shilsa (o‘lcham, rang), har birining narxi va qoldig‘i alohida bo‘ladi.
edit-variants-title = 🎨 <b>{ $title }</b>
    { $count } ta tur:
edit-variants-full = Turlari juda ko‘p: avval keraksizini o‘chiring
edit-variant-add = ➕ Tur qo‘shish
edit-variant-card = 🎨 <b>{ $title }</b> · <code>{ $id }</code>

    { $line }
edit-variant-line = • { $label } — { $price } · { $stock }
edit-ask-label = Tur nomini yozing, masalan: XL yoki qizil (ko‘pi bilan { $count } ta belgi).
edit-variant-label-taken = Bu mahsulotda shunday nomli tur bor.
edit-variant-first-holds = ⏳ To‘lov kutayotgan { $count } ta buyurtmada { $pieces } avvalgidek, tursiz olingan. Ular kuchida qoladi; yangi turlarning qoldig‘iga bu donalarni qo‘shmang.
edit-variant-ask-removal = «<b>{ $title }</b>»: «{ $label }» turi o‘chirilsinmi?
edit-variant-removal-last = Bu oxirgi tur. Mahsulot yashiriladi: narxi va qoldig‘ini ko‘rib, keyin qayta ko‘rsating.
edit-photo-expected = 🖼 Surat yuboring.
edit-photo-as-file = 🖼 Bu fayl qilib yuborilgan. Iltimos, surat qilib yuboring.
edit-photo-channel-refuses = ⚠️ Suratlar { $channel } kanalida saqlanadi, lekin u suratni qabul qilmadi. Botni kanalga administrator qilib qo‘shing (xabar joylash huquqi bilan) va suratni qayta yuboring.
edit-photo-not-now = ⏳ Telegram hozir suratni qabul qilmadi. Bir daqiqadan so‘ng qayta yuboring.
edit-photo-late = 🖼 Bu surat kech keldi: mahsulot qo‘shib bo‘lingan. Uni mahsulot sahifasida qo‘shing.
edit-photo-of-category = 🖼 №{ $id } bo‘lim: { $title }
edit-photo-of-product = 🖼 №{ $id } mahsulot: { $title }
