# Katalog jadval ko‘rinishida.
exchange-open = 📄 Jadval (CSV)
exchange-title = 📄 <b>Katalog jadval ko‘rinishida</b>
    Yuklab oling, Excelda tahrirlang va qaytarib yuboring: nima o‘zgarishini avval ko‘rsataman.
exchange-export = ⬇️ Yuklab olish
exchange-import = ⬆️ Yuklash
exchange-caption = Katalog: { $count } ta mahsulot
import-ask = ⬆️ CSV faylni hujjat qilib yuboring (20 MB gacha). Ko‘rinishini bilish uchun avval jadvalni yuklab oling.
import-no-file = 🤔 CSV faylni hujjat qilib yuboring.
import-too-large = Fayl 20 MB dan katta: uni bo‘lib yuboring.
import-not-now = ⏳ Telegram faylni hozir bermadi. Bir daqiqadan so‘ng qayta yuboring.
import-not-served = ⚠️ Bu Bot API serveri fayllarni bermaydi. Administrator jadvalni <code>tolov catalogue import</code> buyrug‘i bilan yuklashi mumkin.
import-nothing-new = ✅ Katalog allaqachon fayldagidek: o‘zgaradigan narsa yo‘q.
import-plan = 📋 <b>Nima o‘zgaradi</b>
    Yangi: { $new } · o‘zgaradi: { $changed } · o‘zgarishsiz: { $same }
    Yangi turlar: { $variants } · yangi bo‘limlar: { $categories }
import-line-new = 🆕 { $title }
import-line-changed = ✏️ { $title }: { $cells }
import-more = … va yana { $count } ta
import-do = ✅ Bajarish
import-changed-since = Shu orada katalog o‘zgardi. Yangi rejani ko‘rib chiqing.
import-done = ✅ <b>Tayyor</b>
    Yangi: { $new } · o‘zgardi: { $changed } · yangi bo‘limlar: { $categories }
import-reading = ⏳ Fayl o‘qilmoqda. Nima o‘zgarishini shu yerda ko‘rsataman.
import-running = ⏳ Avvalgi jadval hali yuklanmoqda. Tugashi bilan yangisini yuboring.
import-started = 📄 Jadval yuklana boshladi. Jarayonni alohida xabarda kuzatib turasiz.
import-progress = 📄 <b>Jadval yuklanmoqda</b>
    { $bar } { $done } / { $total }
import-broken-off = ⚠️ <b>Jadval oxirigacha yuklanmadi</b>
    Sababi: { $reason }
    Yangi: { $new } · o‘zgardi: { $changed }. Qolganini yuklash uchun faylni qayta yuboring.
import-no-telegram = Telegram faylni bermayapti
import-done-gone = Kimdir o‘chirib bo‘lgani uchun qoldirildi: { $count }
import-errors = ⚠️ <b>Faylda { $count } ta xato bor</b>, hech narsa o‘zgartirilmadi. Tuzatib, qayta yuboring:
import-error-cell = • { $line }-qator, <code>{ $column }</code>: { $problem }
import-error-row = • { $line }-qator: { $problem }
import-problem-not-utf8 = fayl UTF-8 emas: «CSV UTF-8» qilib saqlang
import-problem-no-rows = sarlavhadan keyin qator yo‘q
import-problem-too-many-rows = { $count } dan ortiq qator: faylni bo‘ling
import-problem-unknown-column = «{ $name }» ustuni yo‘q; borlari: { $known }
import-problem-column-twice = ustun ikki marta: birini o‘chiring
import-problem-too-few-columns = birinchi qatorda ustunlar nomi bo‘lsin: product_id yoki variant_id, yoki category, title va price
import-problem-too-many-cells = sarlavhadagidan ko‘p katak: ajratgichli matnni qo‘shtirnoqqa oling
import-problem-missing = to‘ldiring: yangisiga bu kerak
import-problem-not-a-number = yuklab olingan jadvaldagi raqamni yozing, yangisi uchun bo‘sh qoldiring
import-problem-unknown-product = bunday raqamli mahsulot yo‘q: yangisi uchun bo‘sh qoldiring
import-problem-unknown-variant = bunday raqamli tur yo‘q: yangisi uchun bo‘sh qoldiring
import-problem-variant-of-another = bu tur boshqa mahsulotniki: ikkala raqamni ham tekshiring
import-problem-not-a-price = narxni so‘mda raqam bilan yozing, masalan 15000; 0 bo‘lmaydi
import-problem-not-a-portion = qadamini birligi bilan yozing, masalan 0,5 kg, 100 g yoki 1 m; donalab sotilsa, bo‘sh qoldiring
import-problem-portion-stays = mahsulotning sotilish qadami o‘zgarmaydi: savat va buyurtmalar shu bo‘yicha hisoblanadi; yangi mahsulot qo‘shing
import-problem-not-a-stock = butun son (tortib sotilsa, 12,5) yozing, cheklanmagan bo‘lsa bo‘sh qoldiring
import-problem-not-yes-or-no = yes yoki no deb yozing
import-problem-not-a-mxik = 17 ta raqam yozing (jadval yaxlitlasa, oldiga apostrof qo‘ying) yoki bo‘sh qoldiring
import-problem-not-a-package-code = 1 dan 20 tagacha raqam yozing yoki bo‘sh qoldiring
import-problem-not-a-percentage = 0 dan 100 gacha butun son yozing yoki bo‘sh qoldiring
import-problem-not-a-photo = yuklab olingan jadvaldagi file_id bo‘lsin yoki bo‘sh qoldiring; suratni bot orqali qo‘shing
import-problem-too-long = ko‘pi bilan { $count } ta belgi
import-problem-again = { $line }-qatorda shu mahsulot bor: birini o‘chiring
import-problem-differs = { $line }-qatorda boshqacha yozilgan: bir xil yozing yoki bo‘sh qoldiring
import-problem-which-variant = bu mahsulotning turlari bor: qaysi biri?
import-problem-label-taken = shunday nomli tur bor: boshqacha nomlang
import-problem-which-product = bunday nomli mahsulot bir nechta: product_id ga raqamini yozing
import-problem-too-many-variants = bitta mahsulotda ko‘pi bilan { $count } ta tur
import-problem-too-many-products = do‘konda ko‘pi bilan { $count } ta mahsulot: eskilarini o‘chiring
import-problem-too-many-categories = ko‘pi bilan { $count } ta bo‘lim: boridan foydalaning
