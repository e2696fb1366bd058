# Do‘konning oldi: tanishuv, menyu, katalog, qidiruv, profil, yordam.
back-to-found = ⬅️ Natijalar

language-name = 🇺🇿 O‘zbekcha
language-ask = Tilni tanlang:
language-set = Til o‘zgartirildi: o‘zbekcha

greeting =
    Assalomu alaykum, <b>{ $name }</b>! 👋

    Do‘konimizga xush kelibsiz. Bu yerda mahsulot tanlab, CLICK orqali to‘lashingiz va buyurtmangizni kuzatib borishingiz mumkin.
phone-ask = Telefon raqamingizni yuboring: pastdagi tugmani bosing yoki raqamni yozing, masalan +998 90 123 45 67.
phone-share = 📱 Raqamimni yuborish
phone-kept = ✅ Rahmat! Raqamingiz saqlandi: { $phone }
phone-anothers = Bu boshqa odamning raqami. O‘z raqamingizni yuborish uchun pastdagi tugmani bosish kifoya.
phone-unclear = Bu telefon raqamiga o‘xshamaydi. Pastdagi tugmani bosing yoki raqamni shunday yozing: +998 90 123 45 67.
keyboard-put-away = Yaxshi 👌

menu-title =
    🏠 <b>Bosh menyu</b>

    Nima kerak? Mahsulot nomini yozing, darrov topib beraman.
menu-search = 🔎 Qidirish
menu-cart = 🛒 Savat
menu-cart-filled = 🛒 Savat ({ $count })
menu-orders = 📦 Buyurtmalarim
menu-profile = 👤 Profil
menu-help = ℹ️ Yordam
menu-support = ✍️ Bizga yozish
menu-staff = 🧰 Xodimlar uchun

catalogue-title = 🛍 <b>Katalog</b>
catalogue-empty = Katalog hozircha bo‘sh. Tez orada mahsulotlar qo‘shiladi, keyinroq kirib ko‘ring!
category-title =
    <b>{ $title }</b>
    { $count } ta mahsulot
category-empty =
    <b>{ $title }</b>

    Bu bo‘limda hozircha mahsulot yo‘q.
category-gone = Bu bo‘lim endi yo‘q. Katalogda boshqalari bor:
product-gone = Bu mahsulot endi sotuvda yo‘q. Katalogdan boshqasini tanlab ko‘ring:
label-price = { $title } · { $price }
label-sold-out = { $title } · tugagan
price-from = { $price }dan

card-title = <b>{ $title }</b>
card-description = { $text }
card-price = 💰 <b>{ $price }</b>
card-only-left = ⚡️ Atigi { $count } ta qoldi
card-only-left-amount = ⚡️ Atigi { $amount } qoldi
card-sold-out = ❌ Hozircha tugagan
card-choose = Qaysi biri sizga mos?
card-count = { $count } ta
card-add = 🛒 Savatga qo‘shish
card-check-out = ✅ Rasmiylashtirish
card-share = 📤 Ulashish
quantity-ask =
    <b>{ $title }</b>

    Nechta kerak? Sonini yozib yuboring, masalan 25.
quantity-unclear = Sonini raqam bilan yozing: 1 dan { $most } gacha. 0 yozsangiz, mahsulot savatdan olib tashlanadi.
quantity-ask-amount =
    <b>{ $title }</b>

    Qancha kerak? Yozib yuboring, masalan { $example }. Sotilish qadami: { $portion }.
quantity-unclear-amount = Qancha kerakligini raqam bilan yozing: qadami { $portion }, ko‘pi bilan { $most }. 0 yozsangiz, mahsulot savatdan olib tashlanadi.

search-ask =
    🔎 Nima qidiramiz? Mahsulot nomini yozing, to‘liq bo‘lmasa ham mayli.
search-inline = ⚡️ Tezkor qidiruv
search-again = 🔎 Yana qidirish
search-found = 🔎 «{ $query }»: { $count } ta mahsulot topildi
search-nothing =
    «{ $query }» bo‘yicha hech narsa topilmadi.

    Qisqaroq so‘z bilan qidirib ko‘ring yoki bizga yozing: topib berishga harakat qilamiz.
inline-open-shop = 🛍 Do‘konni ochish
group-start = 👋 Do‘kon bot bilan shaxsiy chatda ishlaydi.
inline-buy = 🛒 Sotib olish

profile-title = 👤 <b>{ $name }</b>
profile-phone = 📱 Telefon: { $phone }
profile-no-phone = kiritilmagan
profile-language = 🌐 Til: { $language }
profile-orders = 📦 To‘langan buyurtmalar: { $count }
profile-friends = 👥 Taklif qilgan do‘stlaringiz: { $count }
profile-change-language = 🌐 Til
profile-change-phone = 📱 Telefon
profile-invite = 👥 Do‘st taklif qilish
invite-text =
    👥 <b>Do‘stlaringizni taklif qiling</b>

    Havolangiz: { $link }

    Siz orqali kelganlar: { $count }
invite-share = 📤 Havolani yuborish
invite-message = Bu do‘kondan xarid qilish juda qulay, sizga ham tavsiya qilaman:
friend-joined = 🎉 { $name } sizning havolangiz orqali do‘konimizga qo‘shildi. Rahmat!

help-text =
    ℹ️ <b>Yordam</b>

    🛍 Katalogdan mahsulot tanlang yoki nomini yozib qidiring.
    🛒 Savatga qo‘shing va buyurtma bering.
    💳 CLICK orqali to‘lang: pul tushgan zahoti shu yerda xabar beramiz.
    📦 Buyurtmangiz qayerdaligi «Buyurtmalarim»da ko‘rinib turadi.
help-end = Savolingiz bormi? Bizga yozing, javob beramiz.
terms-text =
    <b>Xarid shartlari</b>

    To‘lovdan oldin buyurtmada ko‘rsatilgan mahsulotlar, narxlar va yetkazib berish amal qiladi. To‘lov CLICK orqali qabul qilinadi. O‘z vaqtida to‘lanmagan buyurtma bekor qilinadi, siz hech narsa to‘lamaysiz.

    To‘lagan narsangizni olmasangiz, bizga yozing: pul to‘langan kartaga yoki o‘tkazma orqali qaytariladi.
command-menu = Bosh menyu
command-search = Mahsulot qidirish
command-cart = Savat
command-orders = Buyurtmalarim
command-profile = Profil
command-language = Tilni o‘zgartirish
command-phone = Telefon raqamini o‘zgartirish
command-help = Yordam
command-support = Bizga yozish
command-terms = Xarid shartlari
unknown-command = Bunday buyruq yo‘q. Savolga javob yozing yoki /menu ni bosing.
