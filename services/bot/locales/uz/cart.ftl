cart-title = 🛒 <b>Savatingiz</b>
cart-empty = 🛒 Savatingiz hozircha bo‘sh.
    Katalogdan mahsulot tanlang, u shu yerda ko‘rinadi.
cart-line-sum = { $count } × { $price } = <b>{ $sum }</b>
cart-line-amount = { $amount } = <b>{ $sum }</b>
cart-line-untitled = №{ $product } mahsulot
cart-only-left = Faqat { $count } ta qoldi
cart-only-left-amount = Faqat { $amount } qoldi
cart-gone = Bu mahsulot hozir yo‘q
cart-full = Savatga { $count } xildan ko‘p mahsulot sig‘maydi
cart-clear = 🗑 Tozalash
cart-clear-surely = Savatdagi hamma narsa olib tashlansinmi?
cart-clear-yes = 🗑 Ha, tozalansin
cart-check-out = ✅ Rasmiylashtirish · { $total }
cart-change-terms = ✏️ Manzil, telefon, izoh
cart-accept-news = 👌 Tushunarli, davom etamiz
news-dearer = Narxi oshdi: { $was } edi, endi { $now }
news-cheaper = Narxi tushdi: { $was } edi, endi { $now }
news-only-left = Faqat { $count } ta qolgan
news-only-left-amount = Faqat { $amount } qolgan
news-sold-out = Tugab qoldi
news-gone = Sotuvdan olindi
promo-enter = 🎁 Promokod
promo-drop = 🎁 { $code } ❌
promo-ask = 🎁 Promokodni yozib yuboring.
promo-unknown = Bunday promokod yo‘q. Tekshirib, yana yozing yoki /menu ni bosing.
promo-expired = Bu promokodning muddati o‘tgan.
promo-used-up = Bu promokoddan foydalanish soni tugagan.
promo-used-by-you = Siz bu promokoddan foydalanib bo‘lgansiz.
promo-too-little = Promokod kamida { $sum }lik xarid uchun amal qiladi.
sum-goods = Mahsulotlar: { $sum }
sum-discount = Chegirma ({ $code }): −{ $sum }
sum-delivery = Yetkazib berish: { $sum }
sum-total = Jami: <b>{ $sum }</b>
