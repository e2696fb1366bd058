# Каталог в виде таблицы.
exchange-open = 📄 Таблица (CSV)
exchange-title = 📄 <b>Каталог в виде таблицы</b>
    Скачайте, поправьте в Excel и пришлите обратно: сначала покажу, что изменится.
exchange-export = ⬇️ Скачать
exchange-import = ⬆️ Загрузить
exchange-caption =
    { $count ->
        [one] Каталог: { $count } товар
        [few] Каталог: { $count } товара
       *[other] Каталог: { $count } товаров
    }
import-ask = ⬆️ Пришлите файл CSV документом (до 20 МБ). Чтобы увидеть, как он устроен, сначала скачайте таблицу.
import-no-file = 🤔 Пришлите файл CSV документом.
import-too-large = Файл больше 20 МБ: пришлите его частями.
import-not-now = ⏳ Telegram сейчас не передал файл. Пришлите его ещё раз через минуту.
import-not-served = ⚠️ Этот сервер Bot API не отдаёт файлы. Администратор может загрузить таблицу командой <code>tolov catalogue import</code>.
import-nothing-new = ✅ В каталоге уже всё как в файле: менять нечего.
import-plan = 📋 <b>Что изменится</b>
    Новых: { $new } · изменится: { $changed } · без изменений: { $same }
    Новых вариантов: { $variants } · новых разделов: { $categories }
import-line-new = 🆕 { $title }
import-line-changed = ✏️ { $title }: { $cells }
import-more = … и ещё { $count }
import-do = ✅ Применить
import-changed-since = Каталог тем временем изменился. Посмотрите новый план.
import-done = ✅ <b>Готово</b>
    Новых: { $new } · изменено: { $changed } · новых разделов: { $categories }
import-reading = ⏳ Читаю файл. Что изменится, покажу здесь.
import-running = ⏳ Прошлая таблица ещё загружается. Пришлите новую, когда загрузка закончится.
import-started = 📄 Загрузка таблицы началась. За ходом можно следить в отдельном сообщении.
import-progress = 📄 <b>Таблица загружается</b>
    { $bar } { $done } / { $total }
import-broken-off = ⚠️ <b>Таблица загружена не до конца</b>
    Причина: { $reason }
    Новых: { $new } · изменено: { $changed }. Чтобы загрузить остальное, пришлите файл ещё раз.
import-no-telegram = Telegram не отдаёт файл
import-done-gone = Пропущено, потому что уже удалены: { $count }
import-errors =
    { $count ->
        [one] ⚠️ <b>В файле { $count } ошибка</b>, ничего не изменено. Поправьте и пришлите ещё раз:
        [few] ⚠️ <b>В файле { $count } ошибки</b>, ничего не изменено. Поправьте и пришлите ещё раз:
       *[other] ⚠️ <b>В файле { $count } ошибок</b>, ничего не изменено. Поправьте и пришлите ещё раз:
    }
import-error-cell = • строка { $line }, <code>{ $column }</code>: { $problem }
import-error-row = • строка { $line }: { $problem }
import-problem-not-utf8 = файл не в UTF-8: сохраните его как «CSV UTF-8»
import-problem-no-rows = под заголовком нет строк
import-problem-too-many-rows = больше { $count } строк: разделите файл
import-problem-unknown-column = нет столбца «{ $name }»; есть: { $known }
import-problem-column-twice = столбец повторяется: удалите один
import-problem-too-few-columns = в первой строке нужны названия столбцов: product_id или variant_id либо category, title и price
import-problem-too-many-cells = ячеек больше, чем в заголовке: заключите текст с разделителем в кавычки
import-problem-missing = заполните: для нового это обязательно
import-problem-not-a-number = впишите номер из скачанной таблицы, для нового оставьте пустым
import-problem-unknown-product = товара с таким номером нет: для нового оставьте пустым
import-problem-unknown-variant = варианта с таким номером нет: для нового оставьте пустым
import-problem-variant-of-another = вариант принадлежит другому товару: сверьте оба номера
import-problem-not-a-price = впишите цену в сумах цифрами, например 15000; 0 нельзя
import-problem-not-a-portion = впишите шаг с единицей, например 0,5 кг, 100 г или 1 м; если поштучно, оставьте пустым
import-problem-portion-stays = шаг продажи товара не меняется: по нему считаются корзины и заказы; добавьте новый товар
import-problem-not-a-stock = впишите целое число (на вес — 12,5); если без ограничения, оставьте пустым
import-problem-not-yes-or-no = впишите yes или no
import-problem-not-a-mxik = впишите 17 цифр (если таблица округляет, с апострофом впереди) или оставьте пустым
import-problem-not-a-package-code = впишите от 1 до 20 цифр или оставьте пустым
import-problem-not-a-percentage = впишите целое число от 0 до 100 или оставьте пустым
import-problem-not-a-photo = здесь file_id из скачанной таблицы или ничего; фото добавляются в боте
import-problem-too-long = не длиннее { $count } символов
import-problem-again = это уже есть в строке { $line }: удалите одну
import-problem-differs = в строке { $line } сказано иначе: впишите то же или оставьте пустым
import-problem-which-variant = у товара есть варианты: укажите какой
import-problem-label-taken = вариант с таким названием уже есть: назовите иначе
import-problem-which-product = товаров с таким названием несколько: впишите номер в product_id
import-problem-too-many-variants = у товара не больше { $count } вариантов
import-problem-too-many-products = в магазине не больше { $count } товаров: удалите старые
import-problem-too-many-categories = не больше { $count } разделов: используйте имеющийся
