# Что говорит `tolov doctor`. Ключ с -do говорит, что делать с находкой того же имени. Один текст на строку.

all-well = Всё в порядке.
some-doubtful = Ошибок нет. Стоит посмотреть: { $doubtful }.
some-bad = Ошибок: { $bad }. Стоит посмотреть: { $doubtful }.

# Настройки
variables-given = Задано: { $names }
variables-left = Не задано: { $names }
variables-none = Ни одной настройки не задано: в окружении их нет, а файл не указан
variables-none-do = Файл читается, если он указан: tolov --env-file .env doctor. docker compose читает .env сам
variable-missing = Нет { $name }
variable-missing-do = { $about }
variable-no-number = { $name } — не целое число
variable-no-number-do = { $about }
variable-unreadable = { $name } не читается: { $detail }
variable-unreadable-do = { $about }
variable-odd = { $name } { $detail }
variable-odd-do = { $about }
local-default = В { $name } учебное значение, которое известно всем
local-default-do = Оно только для песочницы; с ним службы не запустятся. { $about }
api-token-short = API_TOKEN слишком короткий
api-token-short-do = Создайте длиннее: openssl rand -hex 32
bot-token-form = BOT_TOKEN не похож на токен
bot-token-form-do = Скопируйте его ещё раз у @BotFather: число, двоеточие и 35 букв, цифр, дефисов или подчёркиваний
click-key-form = CLICK_SECRET_KEY не похож на ключ: он короток, или в нём пробелы или кавычки
click-key-form-do = Скопируйте его ещё раз: merchant.click.uz, «Сервисы», без кавычек
click-settings = CLICK: сервис { $service }, мерчант { $merchant }
click-user-missing = CLICK_MERCHANT_USER_ID не задан; платежи работают и без него, возвраты делаются вручную
click-user-missing-do = Он нужен для Merchant API: merchant.click.uz, «Сервисы»
provider-token-test = CLICK_PROVIDER_TOKEN — тестовый: заказы, оплаченные по нему, не приносят денег
provider-token-test-do = Возьмите боевой токен у @BotFather, Payments, CLICK, или оставьте переменную пустой
provider-token-given = CLICK_PROVIDER_TOKEN задан: заказы можно оплатить внутри Telegram
click-test-mode = CLICK_TEST_MODE включён: ссылки на оплату ведут в песочницу, деньги не списываются
click-test-mode-do = Для настоящих платежей: CLICK_TEST_MODE=false
proxy-unknown = В TRUSTED_PROXIES нет прокси этой машины: CLICK и посторонние считаются одним адресом
proxy-unknown-do = Напишите TRUSTED_PROXIES=127.0.0.1,::1
sandbox-url-host = SANDBOX_URL: Telegram не принимает кнопки с адресом без точки в имени узла, а с ними и всё сообщение
sandbox-url-host-do = Укажите адрес вида http://127.0.0.1:8080 или https://pay.example.uz
owners-none = ADMIN_IDS пуст: в боте никто не может управлять магазином
owners-none-do = Впишите свой Telegram id (его скажет @userinfobot); остальных сотрудников добавите в самом боте
delivery-price = Доставка стоит { $price } сум
pickup-given = Заказ можно забрать самому: { $address }
pickup-none = PICKUP_ADDRESS пуст: все заказы доставляются
secret-file-open = Файл { $path } ({ $name }) может прочитать любой пользователь этой машины
secret-file-open-do = chmod o= { $path }

# Журнал платежей
folder-unwritable = В папку { $path } нельзя писать: { $detail }
folder-unwritable-do = Отдайте её пользователю службы: chown; в Docker посмотрите том. Запускайте doctor от имени этого пользователя
files-locked = Файлы этой установки нельзя открыть: { $detail }
files-locked-do = Сделайте, что сказано в сообщении, и запустите doctor ещё раз
ledger-not-yet = Журнала { $path } пока нет: он появится при первом запуске
ledger-open = { $path } может прочитать любой пользователь этой машины
ledger-open-do = chmod o= { $path }
sqlite-good = SQLite { $version }, journal_mode { $journal }; службы пишут с synchronous=FULL
sqlite-old = SQLite { $version } может потерять записанные платежи
sqlite-old-do = Соберите с SQLite 3.51.3 или новее
ledger-good = Журнал: заказов { $orders }, оплачено { $paid }, не отправлено событий { $unsent }; цел, все суммы сходятся
ledger-bad = Журнал: { $detail }
ledger-bad-do = Остановите службу webhook, сохраните файл и верните последнюю хорошую копию: tolov restore FILE
postgres-good = PostgreSQL { $version }, адрес { $path }
postgres-away = PostgreSQL журнала недоступен: { $path }: { $detail }
postgres-away-do = Запущен ли он? Верны ли хост, пользователь, пароль и база в LEDGER_URL?
postgres-unsafe = PostgreSQL может потерять записанные платежи: { $settings }
postgres-unsafe-do = Задайте fsync=on, full_page_writes=on и synchronous_commit=on и перезапустите сервер
postgres-replica = { $path } это реплика: она не принимает платежи
postgres-replica-do = Укажите в LEDGER_URL основной сервер
postgres-closed = { $path } закрыт для сервисов: { $detail }
postgres-closed-do = Укажите новое место журнала или повторите прерванную команду
postgres-rule = Журнал: заказ { $order } нарушает правило: { $rule }
postgres-rule-do = Сохраните дамп базы и сообщите об этом; верните базу на более раннее время
postgres-alone = PostgreSQL не архивирует WAL и не имеет синхронной реплики: потеря диска стоит всего, что оплачено после последнего дампа
postgres-alone-do = Способы описаны в docs/operations.md, «The ledger in PostgreSQL». У арендованного сервера это может делаться вне его настроек
backup-good = Последняя резервная копия сделана { $hours } ч назад
backup-old = Последняя хорошая резервная копия сделана { $hours } ч назад
backup-old-do = Посмотрите журнал копирования: docker compose logs backup или journalctl -u tolov-backup
backup-none = Резервной копии ещё нет
backup-none-do = Запустите контейнер backup или tolov-backup.timer, либо выполните: tolov backup FILE

# Шина
bus-not-yet = У встроенной шины пока нет файла: он появится при первом запуске
bus-away = Шина недоступна: { $detail }
bus-away-do = Запущен ли RabbitMQ? Верны ли адрес, имя и пароль в AMQP_URL, пускают ли пользователя в vhost?
bus-refuses = Шиной нельзя пользоваться: { $detail }
bus-refuses-do = Сделайте, что сказано в сообщении; шаги есть в docs/operations.md
queue-good = Очередь { $queue }: аргументы верны, ждут { $ready }, на повтор { $retrying }
queue-parked = Очередь { $queue }: отложено навсегда сообщений: { $parked }
queue-parked-do = tolov parked list скажет почему; затем requeue или drop

open-files-unlimited = На этой машине контейнер может открыть { $limit } файлов; RabbitMQ может запускаться несколько минут
open-files-unlimited-do = Ограничьте его контейнер: ulimits: nofile: 65536, как в docker-compose.yml

# Магазин
mongo-standalone = MongoDB { $version }, одиночный сервер, база { $database }: подтверждает запись из журнала, индексы есть
mongo-replica-set = MongoDB { $version }, набор реплик, база { $database }: запись подтверждает большинство из журнала, индексы есть
mongo-index = В MongoDB нет индексов: { $missing }
mongo-index-do = Пользователь из MONGO_URL должен иметь право создавать индексы: роль readWrite
shop-good = Хранилище магазина { $path }: цело
shop-not-yet = Хранилища магазина { $path } пока нет: оно появится при первом запуске
shop-away = Хранилище магазина недоступно: { $detail }
shop-away-do = Запущена ли MongoDB? Верны ли адрес, имя и пароль в MONGO_URL (для root нужен authSource=admin)?
cpu-no-avx = У процессора этой машины нет AVX (или его скрывает виртуальная машина): MongoDB 5 и новее на нём не работает
cpu-no-avx-do = Задайте виртуальной машине тип процессора host или запускайте tolov all без MongoDB
shop-refuses = Хранилищем магазина нельзя пользоваться: { $detail }
shop-refuses-do = Сделайте, что сказано в сообщении

# Telegram
token-good = Telegram: это токен бота @{ $bot }
inline-good = Встроенный режим (inline) включён
inline-off = Встроенный режим (inline) выключен: кнопки «поделиться» и поиска товара никуда не ведут
inline-off-do = @BotFather, /setinline, любой текст-подсказка
updates-webhook-good = Telegram присылает обновления на { $url }
updates-webhook-unset = Telegram ещё не присылает обновления на { $url }
updates-webhook-unset-do = Запустите бота: он сообщит Telegram адрес
updates-webhook-failing = Telegram не может прислать обновления, ждут: { $count }. Ошибка: { $detail }
updates-webhook-failing-do = 401: у ботов разный BOT_WEBHOOK_SECRET. 403: укажите прокси в TRUSTED_PROXIES. Иначе: ведёт ли BOT_WEBHOOK_URL к боту?
token-refused = Telegram не знает такого BOT_TOKEN
token-refused-do = Скопируйте его ещё раз у @BotFather или выпустите там новый: /token
telegram-away = Telegram недоступен: { $detail }
telegram-away-do = Виден ли api.telegram.org с этой машины? BOT_API_URL должен быть пустым, если у вас нет своего сервера Bot API
channel-good = Канал сотрудников: бот может писать в «{ $title }»
channel-unknown = Канал сотрудников { $channel }: { $detail }
channel-unknown-do = Сделайте бота администратором канала и проверьте DB_CHANNEL: число вида -1001234567890 или @имя
channel-no-rights = Канал сотрудников: боту нельзя писать в «{ $title }»
channel-no-rights-do = Канал, «Администраторы», бот: разрешите публиковать сообщения
store-channel-good = Канал для фото: бот может писать в «{ $title }»
store-channel-unknown = Канал для фото { $channel }: { $detail }
store-channel-unknown-do = Сделайте бота администратором канала и проверьте STORE_CHANNEL: число вида -1001234567890 или @имя
store-channel-no-rights = Канал для фото: боту нельзя писать в «{ $title }»
store-channel-no-rights-do = Канал, «Администраторы», бот: разрешите публиковать сообщения
owner-good = Владелец { $id }: { $name }
owner-unknown = Владелец { $id }: Telegram не знает такого чата
owner-unknown-do = Верно ли число в ADMIN_IDS? Если да, пусть владелец один раз нажмёт «Старт» в боте

# Служба webhook
webhook-good = Служба webhook по адресу { $url } готова
webhook-away = Служба webhook по адресу { $url } не отвечает: { $detail }
webhook-away-do = Она запущена? Верен ли WEBHOOK_URL?
webhook-not-ready = Служба webhook говорит: { $status }
webhook-not-ready-do = Спросите /ready, чего не хватает, и посмотрите её журнал сообщений
outbox-old = Шины ждут событий: { $depth }, самое старое { $seconds } с: об этих оплатах ещё никто не знает
outbox-old-do = Ничего не потеряно. Запущена ли шина, не полон ли её диск?
api-token-good = Служба webhook принимает наш API_TOKEN
api-token-refused = Служба webhook не принимает наш API_TOKEN
api-token-refused-do = У бота и у службы webhook должен быть один и тот же API_TOKEN

# Merchant API CLICK
merchant-api-good = Merchant API CLICK по адресу { $url } принимает наши ключи
merchant-api-keys = Merchant API CLICK не принимает наши ключи или сервис: код { $code } { $note }
merchant-api-keys-do = Проверьте CLICK_SERVICE_ID, CLICK_MERCHANT_USER_ID и CLICK_SECRET_KEY; затем спросите CLICK, открыт ли Merchant API для сервиса
merchant-api-away = Merchant API CLICK не дал пригодного ответа: { $detail }
merchant-api-away-do = Доступен ли api.click.uz с этой машины? Если она вне Узбекистана, CLICK должен знать её адрес
receipts-good = у всех показанных товаров есть данные для фискального чека
receipts-codes = товаров без данных для фискального чека: { $count } ({ $products })
receipts-codes-do = Заполните ИКПУ (МХИК), код упаковки и НДС в боте (товар, «Для чека») или в таблице, либо задайте RECEIPT_MXIK, RECEIPT_PACKAGE и RECEIPT_VAT

# Публичный адрес
public-not-given = PUBLIC_URL не задан: доступны ли мы для CLICK, не проверено
public-not-given-do = Задайте PUBLIC_URL=https://ваш.домен, тот адрес, что указан в кабинете CLICK
public-no-tls = { $url } без https
public-no-tls-do = Поставьте перед службой прокси с сертификатом: docker compose --profile https up
public-away = { $url } недоступен: { $detail }
public-away-do = Ведут ли имя и сертификат на эту машину? Пропускают ли POST файрвол и прокси?
public-not-ours = { $url } отвечает на подделку кодом { $code }, а не так, как наша служба webhook
public-not-ours-do = Прокси должен передавать /payments/click/webhook службе webhook без изменений
public-other-key = У службы по публичному адресу другой CLICK_SECRET_KEY
public-other-key-do = Задайте обеим один ключ из merchant.click.uz и перезапустите службу
public-other-service = Служба по публичному адресу не принимает CLICK_SERVICE_ID { $service }
public-other-service-do = Задайте обеим один CLICK_SERVICE_ID из merchant.click.uz и перезапустите службу
public-good = { $url } отвергает подделки и знает ключ CLICK; укажите его в кабинете как адрес Prepare и Complete
public-inside-open = { $url } показывает всем больше, чем путь для CLICK
public-inside-open-do = Пусть прокси пропускает только /payments/click/webhook (deploy/Caddyfile)

# Часы
clock-good = Часы идут верно
clock-unknown = Не у кого было спросить время
clock-unknown-do = Часы сравниваются, когда отвечает Telegram или PUBLIC_URL; timedatectl скажет, синхронизированы ли они
clock-off = Часы ошибаются на { $seconds } с
clock-off-do = timedatectl set-ntp true

# Что значит каждая переменная
about-production = true: настоящие люди или деньги; все службы отказываются от учебных значений. false: проба в песочнице
about-bot-token = Токен бота: @BotFather, /newbot
about-db-channel = Канал сотрудников: число вида -1001234567890 или @имя; бот должен быть там администратором
about-store-channel = Канал для фотографий каталога; пусто: канал сотрудников
about-staff-language = Язык канала сотрудников: uz, ru или en
about-admin-ids = Telegram id владельцев через запятую, например 5551,5552; свой скажет @userinfobot
about-delivery-price = Сколько стоит доставка, в сумах: 20000; 0, если бесплатно
about-pickup-address = Где можно забрать заказ, словами; пусто: все заказы доставляются
about-click-service-id = Номер сервиса: merchant.click.uz, «Сервисы»
about-click-merchant-id = Номер мерчанта: merchant.click.uz, «Сервисы»
about-click-merchant-user-id = Номер пользователя для Merchant API: merchant.click.uz, «Сервисы»
about-click-secret-key = SECRET_KEY сервиса: merchant.click.uz, «Сервисы»
about-click-test-mode = true: ссылки ведут в песочницу, деньги не списываются; false: настоящие платежи
about-click-merchant-api-url = Где находится Merchant API CLICK; пусто: https://api.click.uz
about-click-reconcile-accept = ask: о платеже без подтверждения спрашивают сотрудников; auto: он оплачивает заказ
about-click-provider-token = Токен CLICK для счетов внутри Telegram: @BotFather, ваш бот, Payments; пусто: выключено
about-click-receipts = on: CLICK делает фискальный чек на каждый оплаченный заказ
about-receipt-seller = Продавец в чеке: ИНН из 9 цифр или ПИНФЛ из 14
about-receipt-mxik = ИКПУ (МХИК) товаров, у которых нет своего, 17 цифр
about-receipt-package = Код упаковки товаров, у которых нет своего
about-receipt-vat = НДС в целых процентах для товаров без своего; 0: без НДС
about-receipt-delivery-mxik = ИКПУ (МХИК) платной доставки
about-receipt-delivery-package = Код упаковки платной доставки
about-receipt-deadline = Сколько времени после оплаты добиваться чека, например 24h
about-late-money = Поздние деньги за распроданный товар. ask: решают сотрудники; give_back: возвращаются; wait: покупателя просят подождать
about-restore-check = После восстановления. before: новые платежи ждут, пока CLICK не опрошен о потерянном; parallel: не ждут
about-return-url = Куда страница CLICK вернёт плательщика, например https://t.me/your_bot
about-public-url = Адрес, по которому CLICK видит службу webhook, например https://pay.example.uz
about-amqp-url = RabbitMQ: amqp://user:password@host:5672/%2f; для tolov all не нужен
about-mongo-url = MongoDB: mongodb://user:password@host:27017/tolov; для tolov all не нужна
about-api-token = Пароль между ботом и службой webhook; придумайте: openssl rand -hex 32
about-webhook-url = Где бот найдёт службу webhook: http://127.0.0.1:8000
about-webhook-addr = Где слушает служба webhook: 0.0.0.0:8000
about-trusted-proxies = Адреса прокси перед ней: 127.0.0.1, 10.0.0.0/28; служба верит только их X-Forwarded-For
about-metrics-addr = Где /health, /ready и /metrics: 127.0.0.1:9000
about-ledger-path = Файл журнала платежей: payments.db
about-ledger-url = Адрес базы PostgreSQL, в которой хранится журнал платежей: postgres://webhook:password@host/tolov; пусто: файл из LEDGER_PATH
about-data-dir = Папка встроенных шины и хранилища магазина и номера бота
about-backup-every = Как часто контейнер backup делает копию: 24h, 1h
about-backup-keep-days = За сколько дней хранится по копии: 14
about-backup-recipient = Открытый ключ (age1...), для которого шифруются копии; пусто: копии не шифруются
about-bot-api-url = Другой сервер Bot API; пусто для самого Telegram
about-bot-updates = Как приходят обновления: polling или webhook (их присылает Telegram)
about-bot-webhook-url = Куда Telegram присылает обновления: https://DOMAIN/telegram/webhook
about-bot-webhook-addr = Где бот принимает обновления, за прокси с TLS
about-bot-webhook-secret = Что Telegram показывает с каждым обновлением: openssl rand -hex 32
about-sandbox-addr = Где слушает песочница: 127.0.0.1:8080
about-sandbox-url = Где песочницу найдут другие: http://127.0.0.1:8080
about-order-ttl = Сколько заказ можно оплатить: 90s, 30m, 24h или 7d; 0: всегда
about-bot-messages-per-s = Сообщений в секунду: число от 1 до 1000; 30, если Telegram не разрешил больше
about-bot-channel-posts-per-min = Записей в канале сотрудников в минуту: число от 1 до 60
about-rust-log = Сколько писать: error, warn, info, debug или trace
about-log-format = text или json
about-otel-exporter-otlp-endpoint = Куда идут трассировки (OTLP по HTTP): http://jaeger:4318; пусто: их нет
about-otel-exporter-otlp-headers = Что хочет получать сборщик трассировок: имя=значение, через запятую
about-otel-exporter-otlp-timeout = Сколько ждать сборщик трассировок, в миллисекундах: 10000
about-otel-traces-sampler = Какие трассировки вести: parentbased_always_on или parentbased_traceidratio (часть из них)
about-otel-traces-sampler-arg = Какую часть трассировок вести: число от 0 до 1
about-otel-service-name = Как сервис называется в трассировках; пусто: tolov-webhook, tolov-bot и так далее
about-otel-resource-attributes = Что ещё сказать о магазине в трассировках: имя=значение, через запятую
