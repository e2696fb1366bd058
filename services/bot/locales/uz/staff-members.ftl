# Xodimlar.
members-title = 👥 <b>Xodimlar</b>
members-owner = 👑 <a href="tg://user?id={ $id }">{ $id }</a> — do‘kon egasi (sozlamalarda)
members-empty = Boshqa xodim yo‘q.
member-add = ➕ Xodim qo‘shish
member-card = 👤 <a href="tg://user?id={ $id }">{ $name }</a>
    <code>{ $id }</code> · { $role }
    Qo‘shilgan: { $since }

    Lavozimini o‘zgartirish:
member-ask = 👤 <b>Yangi xodim</b>

    Uning xabarini shu yerga uzating, kontaktini yuboring yoki Telegram ID raqamini yozing.
member-hidden = 🤔 Telegram bu odam kimligini aytmadi (maxfiylik sozlamasi yoki Telegramsiz kontakt). Telegram ID raqamini yozing.
member-is-bot = 🤖 Bu bot. Xodim faqat odam bo‘la oladi.
member-is-owner = 👑 U do‘kon egasi (ADMIN_IDS): bu yerda o‘zgartirilmaydi.
member-is-you = Bu siz o‘zingiz. Lavozimingizni boshqa do‘kon egasi o‘zgartiradi.
member-ask-role = 👤 <b>{ $name }</b> (<code>{ $id }</code>)

    Kim bo‘lib ishlaydi?
    • do‘kon egasi — hammasi, xodimlar va pul qaytarish ham
    • menejer — katalog, buyurtmalar, hammaga xabar, statistika
    • kuryer — yo‘ldagi buyurtmalar
member-welcome = 👋 Siz do‘kon jamoasidasiz: <b>{ $role }</b>.
    Panelni /admin buyrug‘i ochadi.
member-to-panel = 🛠 Panelni ochish
member-told = ✅ Tayyor, unga xabar berildi
member-not-told = Saqlandi, lekin unga yoza olmadim. Botni ochib /start bosishini so‘rang.
member-ask-removal = <b>{ $name }</b> xodimlar ro‘yxatidan olinsinmi?
