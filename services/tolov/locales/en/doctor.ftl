# What `tolov doctor` says. A key with -do says what to do about the finding of the same name. One line a text.

all-well = No problems found.
some-doubtful = No errors. To be checked: { $doubtful }.
some-bad = Errors: { $bad }. To be checked: { $doubtful }.

# Settings
variables-given = Given: { $names }
variables-left = Left out: { $names }
variables-none = No setting is given: there is none in the environment, and no file was named
variables-none-do = A file is read where it is named: tolov --env-file .env doctor. docker compose reads .env by itself
variable-missing = { $name } is missing
variable-missing-do = { $about }
variable-no-number = { $name } is not a whole number
variable-no-number-do = { $about }
variable-unreadable = { $name } cannot be read: { $detail }
variable-unreadable-do = { $about }
variable-odd = { $name } { $detail }
variable-odd-do = { $about }
local-default = { $name } is a local default that everybody knows
local-default-do = It is for the sandbox only; the services refuse to start with it. { $about }
api-token-short = API_TOKEN is short
api-token-short-do = Make a longer one: openssl rand -hex 32
bot-token-form = BOT_TOKEN does not look like a token
bot-token-form-do = Copy it once more from @BotFather: a number, a colon and 35 letters, digits, dashes or underlines
click-key-form = CLICK_SECRET_KEY does not look like a key: it is too short, or has blanks or quotes
click-key-form-do = Copy it once more from merchant.click.uz, Services, without quotes
click-settings = CLICK: service { $service }, merchant { $merchant }
click-user-missing = CLICK_MERCHANT_USER_ID is missing; payments work without it, refunds go by hand
click-user-missing-do = Calls to CLICK’s Merchant API need it: merchant.click.uz, Services
provider-token-test = CLICK_PROVIDER_TOKEN is a test token: orders paid by it bring no money
provider-token-test-do = Take the live one from @BotFather, Payments, CLICK, or leave the variable empty
provider-token-given = CLICK_PROVIDER_TOKEN is given: orders can be paid inside Telegram
click-test-mode = CLICK_TEST_MODE is on: pay links lead to the sandbox and no money moves
click-test-mode-do = For real payments set CLICK_TEST_MODE=false
proxy-unknown = TRUSTED_PROXIES does not name the proxy on this machine: CLICK and strangers count as one caller
proxy-unknown-do = Write TRUSTED_PROXIES=127.0.0.1,::1
sandbox-url-host = SANDBOX_URL: Telegram refuses buttons whose address has no dot in its host, and the message with them
sandbox-url-host-do = Write an address such as http://127.0.0.1:8080 or https://pay.example.uz
owners-none = ADMIN_IDS is empty: nobody may do anything for the shop in the bot
owners-none-do = Write your own Telegram id there (@userinfobot tells it); you then add other staff in the bot
delivery-price = A delivery costs { $price } UZS
pickup-given = Orders can be picked up: { $address }
pickup-none = PICKUP_ADDRESS is empty: every order is delivered
secret-file-open = { $path }, the file of { $name }, can be read by every user of this machine
secret-file-open-do = chmod o= { $path }

# Ledger
folder-unwritable = The folder { $path } cannot be written: { $detail }
folder-unwritable-do = Give it to the user that runs the service: chown; in Docker look at the volume. Ask the doctor as that user
files-locked = The files of this installation cannot be opened: { $detail }
files-locked-do = Do what the message says, then ask the doctor once more
ledger-not-yet = There is no ledger at { $path } yet: the first start creates it
ledger-open = { $path } can be read by every user of this machine
ledger-open-do = chmod o= { $path }
sqlite-good = SQLite { $version }, journal_mode { $journal }; the services write with synchronous=FULL
sqlite-old = SQLite { $version } can lose committed payments
sqlite-old-do = Build with SQLite 3.51.3 or newer
ledger-good = Ledger: { $orders } orders, { $paid } paid, { $unsent } events not sent; intact, and all of its sums agree
ledger-bad = Ledger: { $detail }
ledger-bad-do = Stop the webhook service, keep the file, and restore the last good backup: tolov restore FILE
postgres-good = PostgreSQL { $version } at { $path }
postgres-away = The ledger’s PostgreSQL cannot be reached: { $path }: { $detail }
postgres-away-do = Is it up? Are host, user, password and database in LEDGER_URL right?
postgres-unsafe = PostgreSQL can lose committed payments: { $settings }
postgres-unsafe-do = Set fsync=on, full_page_writes=on and synchronous_commit=on, and restart the server
postgres-replica = { $path } is a replica: it takes no payment
postgres-replica-do = Name the primary server in LEDGER_URL
postgres-closed = { $path } is closed to services: { $detail }
postgres-closed-do = Name the ledger’s new place, or repeat the command that was cut off
postgres-rule = Ledger: order { $order } breaks a rule: { $rule }
postgres-rule-do = Keep a dump of the database and report this; restore it to a time before
postgres-alone = PostgreSQL archives no WAL and has no synchronous replica: a lost disk costs what was paid since the last dump
postgres-alone-do = docs/operations.md, "The ledger in PostgreSQL", has the ways. A hosted server may do this outside of its settings
backup-good = The last backup is { $hours } hours old
backup-old = The last good backup is { $hours } hours old
backup-old-do = Look at the log of the backup: docker compose logs backup, or journalctl -u tolov-backup
backup-none = No backup was made yet
backup-none-do = Start the container backup or tolov-backup.timer, or run: tolov backup FILE

# Bus
bus-not-yet = The embedded bus has no file yet: the first start creates it
bus-away = The bus cannot be reached: { $detail }
bus-away-do = Is RabbitMQ up? Are address, user and password in AMQP_URL right, and is the user allowed in the vhost?
bus-refuses = The bus cannot be used: { $detail }
bus-refuses-do = Do what the message says; docs/operations.md has the steps
queue-good = Queue { $queue }: arguments right, { $ready } ready, { $retrying } to be tried again
queue-parked = Queue { $queue }: { $parked } messages are parked
queue-parked-do = tolov parked list says why; then requeue or drop them

open-files-unlimited = This machine allows { $limit } open files in a container; RabbitMQ may take minutes to start
open-files-unlimited-do = Give its container a limit: ulimits: nofile: 65536, as docker-compose.yml does

# Shop store
mongo-standalone = MongoDB { $version }, standalone, database { $database }: acknowledges writes from its journal, indexes there
mongo-replica-set = MongoDB { $version }, replica set, database { $database }: a majority acknowledges writes from its journal, indexes there
mongo-index = MongoDB lacks indexes: { $missing }
mongo-index-do = The user of MONGO_URL must be allowed to make indexes: give it the role readWrite
shop-good = Shop store { $path }: intact
shop-not-yet = There is no shop store at { $path } yet: the first start creates it
shop-away = The shop store cannot be reached: { $detail }
shop-away-do = Is MongoDB up? Are address, user and password in MONGO_URL right (authSource=admin for a root user)?
cpu-no-avx = The CPU of this machine has no AVX, or a virtual machine hides it: MongoDB 5 and newer does not run on it
cpu-no-avx-do = Give the virtual machine the CPU type host, or run tolov all without MongoDB
shop-refuses = The shop store cannot be used: { $detail }
shop-refuses-do = Do what the message says

# Telegram
token-good = Telegram: the token is that of @{ $bot }
inline-good = Inline mode is on
inline-off = Inline mode is off: the buttons to share and to search a product lead nowhere
inline-off-do = @BotFather, /setinline, any placeholder text
updates-webhook-good = Telegram posts updates to { $url }
updates-webhook-unset = Telegram does not post updates to { $url } yet
updates-webhook-unset-do = Start the bot: it tells Telegram the address
updates-webhook-failing = Telegram cannot post updates, { $count } wait: { $detail }
updates-webhook-failing-do = 401: BOT_WEBHOOK_SECRET differs between bots. 403: name the proxy in TRUSTED_PROXIES. Otherwise: does BOT_WEBHOOK_URL lead to the bot?
token-refused = Telegram does not know this BOT_TOKEN
token-refused-do = Copy it once more from @BotFather, or make a new one there: /token
telegram-away = Telegram cannot be reached: { $detail }
telegram-away-do = Is api.telegram.org reachable from this machine? BOT_API_URL must be empty unless you run a Bot API server
channel-good = Staff channel: the bot may post in "{ $title }"
channel-unknown = Staff channel { $channel }: { $detail }
channel-unknown-do = Make the bot an administrator of the channel, then check DB_CHANNEL: a number like -1001234567890, or @name
channel-no-rights = Staff channel: the bot may not post in "{ $title }"
channel-no-rights-do = Channel, Administrators, the bot: allow it to post messages
store-channel-good = Channel for photos: the bot may post in "{ $title }"
store-channel-unknown = Channel for photos { $channel }: { $detail }
store-channel-unknown-do = Make the bot an administrator of the channel, then check STORE_CHANNEL: a number like -1001234567890, or @name
store-channel-no-rights = Channel for photos: the bot may not post in "{ $title }"
store-channel-no-rights-do = Channel, Administrators, the bot: allow it to post messages
owner-good = Owner { $id }: { $name }
owner-unknown = Owner { $id }: Telegram does not know this chat
owner-unknown-do = Is the number in ADMIN_IDS right? If it is, let its owner press Start in the bot once

# Webhook service
webhook-good = The webhook service at { $url } is ready
webhook-away = The webhook service at { $url } does not answer: { $detail }
webhook-away-do = Is it started? Is WEBHOOK_URL right?
webhook-not-ready = The webhook service says: { $status }
webhook-not-ready-do = Ask /ready which dependency is away, and look at its log
outbox-old = { $depth } events wait for the bus, the oldest for { $seconds } s: nobody is told of these payments yet
outbox-old-do = Nothing is lost. Is the bus up, and is its disk not full?
api-token-good = The webhook service takes our API_TOKEN
api-token-refused = The webhook service refuses our API_TOKEN
api-token-refused-do = The bot and the webhook service must have the same API_TOKEN

# CLICK’s Merchant API
merchant-api-good = CLICK’s Merchant API at { $url } accepts our keys
merchant-api-keys = CLICK’s Merchant API does not accept our keys or service: code { $code } { $note }
merchant-api-keys-do = Check CLICK_SERVICE_ID, CLICK_MERCHANT_USER_ID and CLICK_SECRET_KEY; then ask CLICK whether the Merchant API is open for the service
merchant-api-away = CLICK’s Merchant API gave no answer that can be used: { $detail }
merchant-api-away-do = Is api.click.uz reachable from this machine? CLICK must know its address when it is outside of Uzbekistan
receipts-good = every product that is shown can be on a fiscal receipt
receipts-codes = { $count } products cannot be on a fiscal receipt: { $products }
receipts-codes-do = Give them MXIK, package code and VAT in the bot (product, Receipt data) or in the table, or set RECEIPT_MXIK, RECEIPT_PACKAGE and RECEIPT_VAT

# Public address
public-not-given = PUBLIC_URL is not given: whether CLICK reaches us was not looked at
public-not-given-do = Set PUBLIC_URL=https://your.domain, the address that CLICK’s cabinet has
public-no-tls = { $url } is not https
public-no-tls-do = Put a proxy with a certificate before the service: docker compose --profile https up
public-away = { $url } cannot be reached: { $detail }
public-away-do = Do the name and the certificate belong to this machine? Do firewall and proxy let POST through?
public-not-ours = { $url } answers a forged call with { $code } and not as our webhook service does
public-not-ours-do = The proxy must hand /payments/click/webhook to the webhook service unchanged
public-other-key = The service at the public address has another CLICK_SECRET_KEY than these settings
public-other-key-do = Give both the same key, the one of merchant.click.uz, and start the service anew
public-other-service = The service at the public address does not take CLICK_SERVICE_ID { $service }
public-other-service-do = Give both the same CLICK_SERVICE_ID, the one of merchant.click.uz, and start the service anew
public-good = { $url } refuses forged calls and knows CLICK’s key; enter it in the cabinet as Prepare and as Complete address
public-inside-open = { $url } shows more than CLICK’s path to everybody
public-inside-open-do = Let the proxy pass /payments/click/webhook alone (deploy/Caddyfile)

# Clock
clock-good = The clock is right
clock-unknown = Nobody could be asked for the time
clock-unknown-do = It is compared when Telegram or PUBLIC_URL answers; timedatectl says whether it is synchronised
clock-off = The clock is off by { $seconds } s
clock-off-do = timedatectl set-ntp true

# What each variable is
about-production = true: real people or real money; every service refuses local defaults. false: a trial on the sandbox
about-bot-token = The bot’s token: @BotFather, /newbot
about-db-channel = The staff channel: its number like -1001234567890, or @name; the bot must be an administrator there
about-store-channel = The channel that keeps the photos of the catalogue; empty: the staff channel
about-staff-language = The language of the staff channel: uz, ru or en
about-admin-ids = Telegram ids of the owners with commas between them, for example 5551,5552; @userinfobot tells one’s own
about-delivery-price = What a delivery costs, in UZS: 20000; 0 for nothing
about-pickup-address = Where orders can be picked up, for people to read; empty: every order is delivered
about-click-service-id = The service’s number: merchant.click.uz, Services
about-click-merchant-id = The merchant’s number: merchant.click.uz, Services
about-click-merchant-user-id = The user’s number for the Merchant API: merchant.click.uz, Services
about-click-secret-key = The service’s SECRET_KEY: merchant.click.uz, Services
about-click-test-mode = true: pay links lead to the sandbox and no money moves; false: real payments
about-click-merchant-api-url = Where CLICK’s Merchant API is; empty: https://api.click.uz
about-click-reconcile-accept = ask: staff are asked about a payment without a confirmation; auto: it pays its order
about-click-provider-token = CLICK’s token for invoices inside Telegram: @BotFather, your bot, Payments; empty: off
about-click-receipts = on: CLICK makes a fiscal receipt of every paid order
about-receipt-seller = Who sells on receipts: a TIN of 9 digits or a PINFL of 14
about-receipt-mxik = MXIK of products that have none of their own, 17 digits
about-receipt-package = Package code of products that have none of their own
about-receipt-vat = VAT in whole percent of products that have none of their own; 0: without VAT
about-receipt-delivery-mxik = MXIK of a delivery that is paid for
about-receipt-delivery-package = Package code of a delivery that is paid for
about-receipt-deadline = For how long a receipt is tried for after the payment, for example 24h
about-late-money = Late money for goods that are sold out. ask: staff decide; give_back: it goes back; wait: the shopper is told to wait
about-restore-check = After a restore. before: Prepares wait until CLICK was asked for what was lost; parallel: they do not
about-return-url = Where CLICK’s page sends the payer afterwards, for example https://t.me/your_bot
about-public-url = The address by which CLICK reaches the webhook service, for example https://pay.example.uz
about-amqp-url = RabbitMQ: amqp://user:password@host:5672/%2f; tolov all does without
about-mongo-url = MongoDB: mongodb://user:password@host:27017/tolov; tolov all does without
about-api-token = The password between the bot and the webhook service; make one up: openssl rand -hex 32
about-webhook-url = Where the bot finds the webhook service: http://127.0.0.1:8000
about-webhook-addr = Where the webhook service listens: 0.0.0.0:8000
about-trusted-proxies = Where proxies before it are: 127.0.0.1, 10.0.0.0/28; only their X-Forwarded-For is believed
about-metrics-addr = Where /health, /ready and /metrics are: 127.0.0.1:9000
about-ledger-path = The ledger’s file: payments.db
about-ledger-url = The address of the PostgreSQL database that keeps the ledger: postgres://webhook:password@host/tolov; empty: the file of LEDGER_PATH
about-data-dir = The folder of the embedded bus and shop store, and of the bot’s number
about-backup-every = How often the container backup makes one: 24h, 1h
about-backup-keep-days = How many days have a backup each: 14
about-backup-recipient = The public key (age1...) that backups are encrypted for; empty: they are not encrypted
about-bot-api-url = Another Bot API server; empty for Telegram’s own
about-bot-updates = How updates come: polling, or webhook (Telegram posts them)
about-bot-webhook-url = Where Telegram posts updates: https://DOMAIN/telegram/webhook
about-bot-webhook-addr = Where the bot listens for updates, behind a proxy with TLS
about-bot-webhook-secret = What Telegram shows with every update: openssl rand -hex 32
about-sandbox-addr = Where the sandbox listens: 127.0.0.1:8080
about-sandbox-url = Where others find the sandbox: http://127.0.0.1:8080
about-order-ttl = How long an order can be paid: 90s, 30m, 24h or 7d; 0 for ever
about-bot-messages-per-s = Messages in a second: a number from 1 to 1000, 30 unless Telegram allows the bot more
about-bot-channel-posts-per-min = Posts in the staff channel in a minute: a number from 1 to 60
about-rust-log = How much is logged: error, warn, info, debug or trace
about-log-format = text or json
about-otel-exporter-otlp-endpoint = Where traces go (OTLP over HTTP): http://jaeger:4318; empty: none are made
about-otel-exporter-otlp-headers = What the collector of traces wants to be sent: name=value, with commas between
about-otel-exporter-otlp-timeout = How long the collector of traces may take, in milliseconds: 10000
about-otel-traces-sampler = Which traces are made: parentbased_always_on, or parentbased_traceidratio for a part of them
about-otel-traces-sampler-arg = Which part of the traces is made: a number from 0 to 1
about-otel-service-name = What the service is called in traces; empty: tolov-webhook, tolov-bot and so on
about-otel-resource-attributes = More about the shop in its traces: name=value, with commas between
