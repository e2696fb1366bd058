# `tolov doctor` nima deydi. -do bilan tugagan kalit shu nomdagi topilma bilan nima qilishni aytadi. Bir matn bir qatorda.

all-well = Hammasi joyida.
some-doubtful = Xato yo‘q. Ko‘rib chiqing: { $doubtful }.
some-bad = Xatolar: { $bad }. Ko‘rib chiqing: { $doubtful }.

# Sozlamalar
variables-given = Berilgan: { $names }
variables-left = Berilmagan: { $names }
variables-none = Hech qanday sozlama berilmagan: muhitda yo‘q, fayl esa ko‘rsatilmagan
variables-none-do = Fayl ko‘rsatilsa o‘qiladi: tolov --env-file .env doctor. docker compose .env faylini o‘zi o‘qiydi
variable-missing = { $name } yo‘q
variable-missing-do = { $about }
variable-no-number = { $name } butun son emas
variable-no-number-do = { $about }
variable-unreadable = { $name } qiymatini o‘qib bo‘lmadi: { $detail }
variable-unreadable-do = { $about }
variable-odd = { $name } { $detail }
variable-odd-do = { $about }
local-default = { $name } qiymati hammaga ma’lum bo‘lgan sinov qiymati
local-default-do = U faqat sinov muhiti uchun; u bilan xizmatlar ishga tushmaydi. { $about }
api-token-short = API_TOKEN juda qisqa
api-token-short-do = Uzunroq yarating: openssl rand -hex 32
bot-token-form = BOT_TOKEN tokenga o‘xshamaydi
bot-token-form-do = Uni @BotFather dan qayta ko‘chiring: son, ikki nuqta va 35 ta harf, raqam, chiziqcha yoki pastki chiziq
click-key-form = CLICK_SECRET_KEY kalitga o‘xshamaydi: u qisqa yoki ichida bo‘shliq yoxud qo‘shtirnoq bor
click-key-form-do = Uni merchant.click.uz, «Servislar» bo‘limidan qo‘shtirnoqsiz qayta ko‘chiring
click-settings = CLICK: servis { $service }, merchant { $merchant }
click-user-missing = CLICK_MERCHANT_USER_ID yo‘q; to‘lovlar usiz ham ishlaydi, pul qo‘lda qaytariladi
click-user-missing-do = U Merchant API uchun kerak: merchant.click.uz, «Servislar»
provider-token-test = CLICK_PROVIDER_TOKEN sinov tokeni: u orqali to‘langan buyurtmalar pul keltirmaydi
provider-token-test-do = @BotFather, Payments, CLICK dan haqiqiy tokenni oling yoki o‘zgaruvchini bo‘sh qoldiring
provider-token-given = CLICK_PROVIDER_TOKEN berilgan: buyurtmani Telegram ichida to‘lash mumkin
click-test-mode = CLICK_TEST_MODE yoqilgan: to‘lov havolalari sinov muhitiga olib boradi, pul o‘tmaydi
click-test-mode-do = Haqiqiy to‘lovlar uchun: CLICK_TEST_MODE=false
proxy-unknown = TRUSTED_PROXIES shu mashinadagi proksini aytmaydi: CLICK ham, begonalar ham bitta manzil deb hisoblanadi
proxy-unknown-do = TRUSTED_PROXIES=127.0.0.1,::1 deb yozing
sandbox-url-host = SANDBOX_URL: manzil nomida nuqta bo‘lmasa, Telegram tugmani ham, xabarni ham qabul qilmaydi
sandbox-url-host-do = http://127.0.0.1:8080 yoki https://pay.example.uz kabi manzil yozing
owners-none = ADMIN_IDS bo‘sh: botda do‘konni hech kim boshqara olmaydi
owners-none-do = O‘z Telegram id raqamingizni yozing (uni @userinfobot aytadi); boshqa xodimlarni botning o‘zida qo‘shasiz
delivery-price = Yetkazib berish { $price } so‘m turadi
pickup-given = Buyurtmani olib ketish mumkin: { $address }
pickup-none = PICKUP_ADDRESS bo‘sh: hamma buyurtma yetkazib beriladi
secret-file-open = { $path } faylini ({ $name }) bu mashinaning har bir foydalanuvchisi o‘qiy oladi
secret-file-open-do = chmod o= { $path }

# To‘lovlar daftari
folder-unwritable = { $path } papkasiga yozib bo‘lmaydi: { $detail }
folder-unwritable-do = Uni xizmat foydalanuvchisiga bering: chown; Dockerda tomni tekshiring. doctor buyrug‘ini shu foydalanuvchi nomidan bering
files-locked = Bu o‘rnatmaning fayllarini ochib bo‘lmaydi: { $detail }
files-locked-do = Xabarda aytilganini qiling va doctor buyrug‘ini qayta bering
ledger-not-yet = { $path } daftari hali yo‘q: u birinchi ishga tushishda yaratiladi
ledger-open = { $path } ni bu mashinaning har bir foydalanuvchisi o‘qiy oladi
ledger-open-do = chmod o= { $path }
sqlite-good = SQLite { $version }, journal_mode { $journal }; xizmatlar synchronous=FULL bilan yozadi
sqlite-old = SQLite { $version } yozilgan to‘lovlarni yo‘qotishi mumkin
sqlite-old-do = SQLite 3.51.3 yoki yangirog‘i bilan yig‘ing
ledger-good = Daftar: buyurtmalar { $orders }, to‘langan { $paid }, yuborilmagan xabarlar { $unsent }; butun, hamma summalar to‘g‘ri
ledger-bad = Daftar: { $detail }
ledger-bad-do = webhook xizmatini to‘xtating, faylni saqlab qo‘ying va oxirgi yaxshi nusxani qaytaring: tolov restore FILE
postgres-good = PostgreSQL { $version }, manzili { $path }
postgres-away = Daftar saqlanadigan PostgreSQL javob bermayapti: { $path }: { $detail }
postgres-away-do = U ishlayaptimi? LEDGER_URL dagi xost, foydalanuvchi, parol va baza to‘g‘rimi?
postgres-unsafe = PostgreSQL yozilgan to‘lovlarni yo‘qotishi mumkin: { $settings }
postgres-unsafe-do = fsync=on, full_page_writes=on va synchronous_commit=on qiling va serverni qayta ishga tushiring
postgres-replica = { $path } nusxa server: u to‘lov qabul qilmaydi
postgres-replica-do = LEDGER_URL da asosiy serverni yozing
postgres-closed = { $path } xizmatlar uchun yopiq: { $detail }
postgres-closed-do = Daftarning yangi joyini yozing yoki uzilib qolgan buyruqni takrorlang
postgres-rule = Daftar: { $order } buyurtma qoidani buzadi: { $rule }
postgres-rule-do = Baza nusxasini saqlab qo‘ying va bu haqda xabar bering; bazani oldingi vaqtga qaytaring
postgres-alone = PostgreSQL WAL ni arxivlamaydi va sinxron nusxa serveri yo‘q: disk yo‘qolsa, oxirgi nusxadan keyin to‘langanlar yo‘qoladi
postgres-alone-do = Yo‘llari docs/operations.md da, «The ledger in PostgreSQL» bo‘limida. Ijara serverida bu uning sozlamalaridan tashqarida qilinishi mumkin
backup-good = Oxirgi zaxira nusxa { $hours } soat oldin olingan
backup-old = Oxirgi yaxshi zaxira nusxa { $hours } soat oldin olingan
backup-old-do = Zaxiralash jurnalini ko‘ring: docker compose logs backup yoki journalctl -u tolov-backup
backup-none = Hali zaxira nusxa olinmagan
backup-none-do = backup konteynerini yoki tolov-backup.timer ni ishga tushiring, yoki shu buyruqni bering: tolov backup FILE

# Shina
bus-not-yet = Ichki shinaning fayli hali yo‘q: u birinchi ishga tushishda yaratiladi
bus-away = Shinaga ulanib bo‘lmadi: { $detail }
bus-away-do = RabbitMQ ishlayaptimi? AMQP_URL dagi manzil, nom va parol to‘g‘rimi, foydalanuvchiga vhost ochiqmi?
bus-refuses = Shinadan foydalanib bo‘lmaydi: { $detail }
bus-refuses-do = Xabarda aytilganini qiling; qadamlar docs/operations.md da
queue-good = { $queue } navbati: sozlamalari to‘g‘ri, kutmoqda { $ready }, qayta urinishda { $retrying }
queue-parked = { $queue } navbati: chetga qo‘yilgan xabarlar: { $parked }
queue-parked-do = Sababini tolov parked list aytadi; keyin requeue yoki drop

open-files-unlimited = Bu mashinada konteyner { $limit } ta fayl ocha oladi; RabbitMQ daqiqalab ishga tushishi mumkin
open-files-unlimited-do = Uning konteyneriga chegara qo‘ying: ulimits: nofile: 65536, docker-compose.yml dagidek

# Do‘kon
mongo-standalone = MongoDB { $version }, yakka server, baza { $database }: yozuvni jurnaldan tasdiqlaydi, indekslar bor
mongo-replica-set = MongoDB { $version }, replikalar to‘plami, baza { $database }: yozuvni ko‘pchilik jurnaldan tasdiqlaydi, indekslar bor
mongo-index = MongoDB da indekslar yo‘q: { $missing }
mongo-index-do = MONGO_URL foydalanuvchisi indeks yarata olishi kerak: unga readWrite rolini bering
shop-good = Do‘kon ombori { $path }: butun
shop-not-yet = { $path } do‘kon ombori hali yo‘q: u birinchi ishga tushishda yaratiladi
shop-away = Do‘kon omboriga ulanib bo‘lmadi: { $detail }
shop-away-do = MongoDB ishlayaptimi? MONGO_URL dagi manzil, nom va parol to‘g‘rimi (root uchun authSource=admin)?
cpu-no-avx = Bu mashinaning protsessorida AVX yo‘q (yoki virtual mashina uni yashiradi): MongoDB 5 va yangirog‘i unda ishlamaydi
cpu-no-avx-do = Virtual mashinaga host protsessor turini bering yoki tolov all ni MongoDB siz ishlating
shop-refuses = Do‘kon omboridan foydalanib bo‘lmaydi: { $detail }
shop-refuses-do = Xabarda aytilganini qiling

# Telegram
token-good = Telegram: bu @{ $bot } botining tokeni
inline-good = Inline rejim yoqilgan
inline-off = Inline rejim o‘chirilgan: mahsulotni ulashish va qidirish tugmalari hech qayerga olib bormaydi
inline-off-do = @BotFather, /setinline, istalgan matn
updates-webhook-good = Telegram yangilanishlarni { $url } ga yuboradi
updates-webhook-unset = Telegram hali yangilanishlarni { $url } ga yubormayapti
updates-webhook-unset-do = Botni ishga tushiring: u manzilni Telegram’ga aytadi
updates-webhook-failing = Telegram yangilanishlarni yubora olmayapti, kutayotgani { $count } ta. Xato: { $detail }
updates-webhook-failing-do = 401: botlarning BOT_WEBHOOK_SECRET i har xil. 403: proksini TRUSTED_PROXIES ga yozing. Aks holda: BOT_WEBHOOK_URL botga olib boradimi?
token-refused = Telegram bunday BOT_TOKEN ni bilmaydi
token-refused-do = Uni @BotFather dan qayta ko‘chiring yoki yangisini oling: /token
telegram-away = Telegramga ulanib bo‘lmadi: { $detail }
telegram-away-do = Bu mashinadan api.telegram.org ochiladimi? O‘zingizning Bot API serveringiz bo‘lmasa, BOT_API_URL bo‘sh bo‘lsin
channel-good = Xodimlar kanali: bot «{ $title }» ga yoza oladi
channel-unknown = Xodimlar kanali { $channel }: { $detail }
channel-unknown-do = Botni kanalga administrator qiling va DB_CHANNEL ni tekshiring: -1001234567890 kabi son yoki @nom
channel-no-rights = Xodimlar kanali: bot «{ $title }» ga yoza olmaydi
channel-no-rights-do = Kanal, Administratorlar, bot: xabar joylashga ruxsat bering
store-channel-good = Suratlar kanali: bot «{ $title }» ga yoza oladi
store-channel-unknown = Suratlar kanali { $channel }: { $detail }
store-channel-unknown-do = Botni kanalga administrator qiling va STORE_CHANNEL ni tekshiring: -1001234567890 kabi son yoki @nom
store-channel-no-rights = Suratlar kanali: bot «{ $title }» ga yoza olmaydi
store-channel-no-rights-do = Kanal, Administratorlar, bot: xabar joylashga ruxsat bering
owner-good = Do‘kon egasi { $id }: { $name }
owner-unknown = Do‘kon egasi { $id }: Telegram bunday chatni bilmaydi
owner-unknown-do = ADMIN_IDS dagi raqam to‘g‘rimi? To‘g‘ri bo‘lsa, egasi botda bir marta «Start» ni bossin

# webhook xizmati
webhook-good = { $url } dagi webhook xizmati tayyor
webhook-away = { $url } dagi webhook xizmati javob bermadi: { $detail }
webhook-away-do = U ishga tushganmi? WEBHOOK_URL to‘g‘rimi?
webhook-not-ready = webhook xizmati shunday deydi: { $status }
webhook-not-ready-do = Nima yetishmasligini /ready dan so‘rang va xizmat jurnalini ko‘ring
outbox-old = Shinani kutayotgan xabarlar: { $depth }, eng eskisi { $seconds } s: bu to‘lovlardan hali hech kim xabardor emas
outbox-old-do = Hech narsa yo‘qolmagan. Shina ishlayaptimi, diski to‘lib qolmaganmi?
api-token-good = webhook xizmati API_TOKEN ni qabul qiladi
api-token-refused = webhook xizmati API_TOKEN ni qabul qilmaydi
api-token-refused-do = Bot va webhook xizmatida bir xil API_TOKEN bo‘lishi kerak

# CLICK Merchant API
merchant-api-good = { $url } dagi CLICK Merchant API kalitlarimizni qabul qiladi
merchant-api-keys = CLICK Merchant API kalitlarimizni yoki servisimizni qabul qilmaydi: kod { $code } { $note }
merchant-api-keys-do = CLICK_SERVICE_ID, CLICK_MERCHANT_USER_ID va CLICK_SECRET_KEY ni tekshiring; so‘ng CLICK dan Merchant API servis uchun ochiqmi deb so‘rang
merchant-api-away = CLICK Merchant API yaroqli javob bermadi: { $detail }
merchant-api-away-do = api.click.uz bu mashinadan ochiladimi? Mashina O‘zbekistondan tashqarida bo‘lsa, CLICK uning manzilini bilishi kerak
receipts-good = ko‘rsatilgan hamma mahsulotda fiskal chek ma’lumoti bor
receipts-codes = fiskal chek ma’lumoti to‘liq bo‘lmagan mahsulotlar: { $count } ta ({ $products })
receipts-codes-do = MXIK, qadoq kodi va QQSni botda (mahsulot, «Chek uchun») yoki jadvalda kiriting yoki RECEIPT_MXIK, RECEIPT_PACKAGE va RECEIPT_VAT ni sozlang

# Ommaviy manzil
public-not-given = PUBLIC_URL berilmagan: CLICK bizga yeta oladimi, tekshirilmadi
public-not-given-do = PUBLIC_URL=https://sizning.domen deb bering, CLICK kabinetidagi manzilni
public-no-tls = { $url } https emas
public-no-tls-do = Xizmat oldiga sertifikatli proksi qo‘ying: docker compose --profile https up
public-away = { $url } ga ulanib bo‘lmadi: { $detail }
public-away-do = Nom va sertifikat shu mashinaga olib keladimi? Fayrvol va proksi POST ni o‘tkazadimi?
public-not-ours = { $url } soxta chaqiruvga { $code } deb javob berdi, bizning webhook xizmatidek emas
public-not-ours-do = Proksi /payments/click/webhook ni webhook xizmatiga o‘zgartirmay uzatishi kerak
public-other-key = Ommaviy manzildagi xizmatning CLICK_SECRET_KEY qiymati boshqa
public-other-key-do = Ikkalasiga merchant.click.uz dagi bitta kalitni bering va xizmatni qayta ishga tushiring
public-other-service = Ommaviy manzildagi xizmat CLICK_SERVICE_ID { $service } ni qabul qilmaydi
public-other-service-do = Ikkalasiga merchant.click.uz dagi bitta CLICK_SERVICE_ID ni bering va xizmatni qayta ishga tushiring
public-good = { $url } soxta chaqiruvlarni rad etadi va CLICK kalitini biladi; uni kabinetga Prepare va Complete manzili qilib kiriting
public-inside-open = { $url } hammaga CLICK yo‘lidan ko‘prog‘ini ko‘rsatadi
public-inside-open-do = Proksi faqat /payments/click/webhook ni o‘tkazsin (deploy/Caddyfile)

# Soat
clock-good = Soat to‘g‘ri
clock-unknown = Vaqtni so‘raydigan hech kim bo‘lmadi
clock-unknown-do = Soat Telegram yoki PUBLIC_URL javob berganda solishtiriladi; timedatectl sinxronlanganini aytadi
clock-off = Soat { $seconds } s ga adashgan
clock-off-do = timedatectl set-ntp true

# Har bir o‘zgaruvchi nima
about-production = true: haqiqiy odamlar yoki pul; hamma xizmat sinov qiymatlarini rad etadi. false: sinov muhitidagi sinov
about-bot-token = Bot tokeni: @BotFather, /newbot
about-db-channel = Xodimlar kanali: -1001234567890 kabi son yoki @nom; bot u yerda administrator bo‘lishi kerak
about-store-channel = Katalog suratlari saqlanadigan kanal; bo‘sh: xodimlar kanali
about-staff-language = Xodimlar kanalining tili: uz, ru yoki en
about-admin-ids = Do‘kon egalarining Telegram id raqamlari, vergul bilan: 5551,5552; o‘zingiznikini @userinfobot aytadi
about-delivery-price = Yetkazib berish narxi, so‘mda: 20000; bepul bo‘lsa 0
about-pickup-address = Buyurtmani qayerdan olib ketish mumkin, so‘z bilan; bo‘sh: hamma buyurtma yetkazib beriladi
about-click-service-id = Servis raqami: merchant.click.uz, «Servislar»
about-click-merchant-id = Merchant raqami: merchant.click.uz, «Servislar»
about-click-merchant-user-id = Merchant API foydalanuvchisining raqami: merchant.click.uz, «Servislar»
about-click-secret-key = Servisning SECRET_KEY kaliti: merchant.click.uz, «Servislar»
about-click-test-mode = true: havolalar sinov muhitiga olib boradi, pul o‘tmaydi; false: haqiqiy to‘lovlar
about-click-merchant-api-url = CLICK Merchant API qayerda; bo‘sh: https://api.click.uz
about-click-reconcile-accept = ask: tasdig‘i kelmagan to‘lov haqida xodimlardan so‘raladi; auto: u buyurtmani to‘laydi
about-click-provider-token = Telegram ichidagi hisoblar uchun CLICK tokeni: @BotFather, botingiz, Payments; bo‘sh: o‘chirilgan
about-click-receipts = on: CLICK har bir to‘langan buyurtmaga fiskal chek qiladi
about-receipt-seller = Chekdagi sotuvchi: 9 raqamli STIR yoki 14 raqamli JShShIR
about-receipt-mxik = O‘z kodi yo‘q mahsulotlar MXIKi, 17 ta raqam
about-receipt-package = O‘z qadoq kodi yo‘q mahsulotlar qadoq kodi
about-receipt-vat = O‘z stavkasi yo‘q mahsulotlar QQSi, butun foizda; 0: QQSsiz
about-receipt-delivery-mxik = Pulli yetkazib berish MXIKi
about-receipt-delivery-package = Pulli yetkazib berish qadoq kodi
about-receipt-deadline = To‘lovdan keyin chekka qancha vaqt urinish, masalan 24h
about-late-money = Tugagan mahsulot uchun kechikib kelgan pul. ask: xodimlar hal qiladi; give_back: qaytariladi; wait: xaridordan kutish so‘raladi
about-restore-check = Tiklangandan keyin. before: yo‘qolgani CLICKdan so‘ralguncha yangi to‘lovlar kutadi; parallel: kutmaydi
about-return-url = CLICK sahifasi to‘lovchini qayerga qaytaradi, masalan https://t.me/your_bot
about-public-url = CLICK webhook xizmatiga yetadigan manzil, masalan https://pay.example.uz
about-amqp-url = RabbitMQ: amqp://user:password@host:5672/%2f; tolov all ga kerak emas
about-mongo-url = MongoDB: mongodb://user:password@host:27017/tolov; tolov all ga kerak emas
about-api-token = Bot va webhook xizmati orasidagi parol; o‘ylab toping: openssl rand -hex 32
about-webhook-url = Bot webhook xizmatini qayerdan topadi: http://127.0.0.1:8000
about-webhook-addr = webhook xizmati qayerda tinglaydi: 0.0.0.0:8000
about-trusted-proxies = Uning oldidagi proksi manzillari: 127.0.0.1, 10.0.0.0/28; faqat ularning X-Forwarded-For sarlavhasiga ishoniladi
about-metrics-addr = /health, /ready va /metrics qayerda: 127.0.0.1:9000
about-ledger-path = To‘lovlar daftarining fayli: payments.db
about-ledger-url = To‘lovlar daftari saqlanadigan PostgreSQL bazasining manzili: postgres://webhook:password@host/tolov; bo‘sh: LEDGER_PATH fayli
about-data-dir = Ichki shina, do‘kon ombori va bot raqamining papkasi
about-backup-every = backup konteyneri qanchada bir nusxa oladi: 24h, 1h
about-backup-keep-days = Necha kunning nusxasi saqlanadi: 14
about-backup-recipient = Nusxalar shifrlanadigan ochiq kalit (age1...); bo‘sh: nusxalar shifrlanmaydi
about-bot-api-url = Boshqa Bot API serveri; Telegramning o‘ziniki uchun bo‘sh
about-bot-updates = Yangilanishlar qanday keladi: polling yoki webhook (Telegram yuboradi)
about-bot-webhook-url = Telegram yangilanishlarni qayerga yuboradi: https://DOMAIN/telegram/webhook
about-bot-webhook-addr = Bot yangilanishlarni qayerda qabul qiladi, TLS li proksi ortida
about-bot-webhook-secret = Telegram har bir yangilanish bilan ko‘rsatadigan so‘z: openssl rand -hex 32
about-sandbox-addr = Sinov muhiti qayerda tinglaydi: 127.0.0.1:8080
about-sandbox-url = Sinov muhitini boshqalar qayerdan topadi: http://127.0.0.1:8080
about-order-ttl = Buyurtmani qancha vaqt to‘lash mumkin: 90s, 30m, 24h yoki 7d; 0: doim
about-bot-messages-per-s = Bir soniyadagi xabarlar: 1 dan 1000 gacha son; 30, agar Telegram ko‘prog‘iga ruxsat bermagan bo‘lsa
about-bot-channel-posts-per-min = Xodimlar kanaliga bir daqiqada xabarlar: 1 dan 60 gacha son
about-rust-log = Qancha yoziladi: error, warn, info, debug yoki trace
about-log-format = text yoki json
about-otel-exporter-otlp-endpoint = Trassalar qayerga boradi (HTTP orqali OTLP): http://jaeger:4318; bo‘sh bo‘lsa, ular yo‘q
about-otel-exporter-otlp-headers = Trassa yig‘uvchi nimani kutadi: nom=qiymat, orasida vergul
about-otel-exporter-otlp-timeout = Trassa yig‘uvchini qancha kutish, millisekundlarda: 10000
about-otel-traces-sampler = Qaysi trassalar yoziladi: parentbased_always_on yoki parentbased_traceidratio (ularning bir qismi)
about-otel-traces-sampler-arg = Trassalarning qancha qismi yoziladi: 0 dan 1 gacha son
about-otel-service-name = Xizmat trassalarda qanday ataladi; bo‘sh bo‘lsa: tolov-webhook, tolov-bot va hokazo
about-otel-resource-attributes = Do‘kon haqida trassalarda yana nima aytiladi: nom=qiymat, orasida vergul
