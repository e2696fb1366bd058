# Правка каталога.
edit-back = ⬅️ Назад
edit-cancel = ❌ Отмена
edit-keep = ⬅️ Нет, оставить
edit-skip = Пропустить
edit-make-empty = Оставить пустым
edit-added = ✅ Добавлено
edit-removed = Удалено
edit-remove = 🗑 Удалить
edit-remove-surely = 🗑 Да, удалить
edit-remove-photo = Убрать фото
edit-hide = 🙈 Скрыть
edit-unhide = 👁 Показать
edit-hide-instead = 🙈 Не удалять, а скрыть
edit-publish = ✅ Опубликовать
edit-add-hidden = 🙈 Добавить скрытым
edit-not-set = не указано
edit-not-understood = 🤔 Не получилось это понять.
edit-catalogue-gone = Этого уже нет: кто-то успел удалить
edit-categories-title =
    { $count ->
        [one] 📚 <b>Каталог</b>: { $count } раздел. Выберите один:
        [few] 📚 <b>Каталог</b>: { $count } раздела. Выберите один:
       *[other] 📚 <b>Каталог</b>: { $count } разделов. Выберите один:
    }
edit-categories-empty = 📚 <b>Каталог</b>
    Пока пусто. Сначала добавьте раздел или загрузите таблицу.
edit-categories-back = ⬅️ Разделы
edit-categories-full = Разделов слишком много: сначала удалите ненужный
edit-category-add = ➕ Раздел
edit-category-empty = 📂 <b>{ $title }</b>
    В этом разделе пока нет товаров.
edit-category-products =
    { $count ->
        [one] 📂 <b>{ $title }</b>: { $count } товар
        [few] 📂 <b>{ $title }</b>: { $count } товара
       *[other] 📂 <b>{ $title }</b>: { $count } товаров
    }
edit-category-settings = ⚙️ Настроить раздел
edit-category-card = ⚙️ <b>{ $title }</b>
    Место в меню: { $place } из { $count }
edit-category-up = ⬆️ Выше
edit-category-down = ⬇️ Ниже
edit-category-rename = ✏️ Название
edit-category-ask-title = Напишите название раздела (не длиннее { $count } символов).
edit-category-ask-photo = 📂 <b>{ $title }</b>

    Пришлите фото для раздела.
edit-category-ask-removal = Удалить раздел «<b>{ $title }</b>»?
edit-category-not-empty =
    { $count ->
        [one] В разделе { $count } товар. Сначала перенесите или удалите товары.
        [few] В разделе { $count } товара. Сначала перенесите или удалите их.
       *[other] В разделе { $count } товаров. Сначала перенесите или удалите их.
    }
edit-product-add = ➕ Товар
edit-products-full = Товаров слишком много: сначала удалите ненужные
edit-product-new = 🆕 <b>Новый товар</b>

    { $asked }
edit-product-asked = 📦 <b>{ $title }</b>

    { $asked }
edit-product-review = Так это увидит покупатель. Публикуем?
edit-product-preview-title = <b>{ $title }</b>
edit-product-price-stock = 💵 { $price } · { $stock }
edit-product-variants-more =
    { $count ->
        [one] … и ещё { $count } вариант
        [few] … и ещё { $count } варианта
       *[other] … и ещё { $count } вариантов
    }
edit-product-details = — — —
    Номер: <code>{ $id }</code> · 📂 { $category }
edit-product-no-category = без раздела
edit-product-is-hidden = 🙈 Скрыт: покупатели его не видят
edit-product-portion = ⚖️ Шаг продажи: { $portion }
edit-product-photos = 🖼 Фото: { $count }
edit-product-holds = ⏳ Отложено для неоплаченных заказов ({ $count }): { $pieces }
edit-product-mxik = ИКПУ (МХИК): <code>{ $mxik }</code>
edit-product-package = Код упаковки: <code>{ $code }</code>
edit-product-vat = НДС: { $percent } %
edit-product-ask-removal = Удалить «<b>{ $title }</b>» насовсем?
edit-product-removal-holds = ⏳ Отложено для неоплаченных заказов ({ $count }): { $pieces }. Заказы остаются в силе: если их оплатят, товар надо будет отдать.
edit-product-ask-category = В какой раздел перенести «<b>{ $title }</b>»?
edit-fiscal-card = 🧾 <b>{ $title }</b>: данные для чека

    ИКПУ (МХИК): { $mxik }
    Код упаковки: { $package }
    НДС: { $vat }
edit-field-title = ✏️ Название
edit-field-description = 📝 Описание
edit-field-photo = 🖼 Фото
edit-field-price = 💵 Цена
edit-field-stock = 📦 Остаток
edit-field-variants = 🎨 Варианты ({ $count })
edit-field-fiscal = 🧾 Для чека
edit-field-category = 📂 Раздел
edit-field-label = ✏️ Название
edit-field-mxik = ИКПУ (МХИК)
edit-field-package = Код упаковки
edit-field-vat = НДС
edit-ask-title = Напишите название товара (не длиннее { $count } символов).
edit-ask-description = Напишите описание (не длиннее { $count } символов).
edit-ask-price = Напишите цену за штуку в сумах, цифрами. Например: 15 000
edit-ask-portion = Как продаётся? Если поштучно, нажмите кнопку. Если на вес, литрами или метрами, напишите шаг, например: 0,5 кг, 100 г, 1 м. Изменить это потом нельзя.
edit-by-the-piece = Поштучно
edit-ask-unit-price = Напишите цену за 1 { $unit } в сумах, цифрами. Например: 24 000
edit-ask-stock = Сколько штук есть в продаже? Напишите целое число (0 — закончился) или нажмите «Без ограничения».
edit-ask-stock-amount = Сколько есть в продаже ({ $unit })? Например: 12,5 (0 — закончился). Или нажмите «Без ограничения».
edit-ask-stock-holds = ⏳ Не считайте то, что отложено для заказов, которые ждут оплаты: { $pieces }
edit-ask-photo = Пришлите фото, несколько — альбомом (именно как фото, не файлом).
edit-ask-mxik = Напишите код ИКПУ (МХИК): { $count } цифр. Найти его можно на tasnif.soliq.uz.
edit-ask-package = Напишите код упаковки: не больше { $count } цифр.
edit-ask-vat = Напишите ставку НДС: целое число от 0 до 100. Например: 12
edit-stock-uncounted = без ограничения
edit-stock-none = закончился
edit-stock-count = { $count } шт.
edit-stock-do-not-count = ♾ Без ограничения
edit-variants-none = 🎨 <b>{ $title }</b>
    Вариантов нет: у товара одна цена и один остаток. Если добавить варианты (размер, цвет), у каждого будут своя цена и свой остаток.
edit-variants-title =
    { $count ->
        [one] 🎨 <b>{ $title }</b>: { $count } вариант
        [few] 🎨 <b>{ $title }</b>: { $count } варианта
       *[other] 🎨 <b>{ $title }</b>: { $count } вариантов
    }
edit-variants-full = Вариантов слишком много: сначала удалите ненужный
edit-variant-add = ➕ Добавить вариант
edit-variant-card = 🎨 <b>{ $title }</b> · <code>{ $id }</code>

    { $line }
edit-variant-line = • { $label } — { $price } · { $stock }
edit-ask-label = Напишите название варианта, например: XL или красный (не длиннее { $count } символов).
edit-variant-label-taken = У этого товара уже есть вариант с таким названием.
edit-variant-first-holds = ⏳ Отложено без варианта для неоплаченных заказов ({ $count }): { $pieces }. Заказы остаются в силе; в остаток вариантов эти штуки не считайте.
edit-variant-ask-removal = «<b>{ $title }</b>»: удалить вариант «{ $label }»?
edit-variant-removal-last = Это последний вариант. Товар будет скрыт: проверьте цену и остаток и покажите его снова.
edit-photo-expected = 🖼 Пришлите фото.
edit-photo-as-file = 🖼 Это пришло файлом. Пришлите, пожалуйста, как фото.
edit-photo-channel-refuses = ⚠️ Фото хранятся в канале { $channel }, но он не принял фото. Сделайте бота администратором канала (с правом публикации) и пришлите фото ещё раз.
edit-photo-not-now = ⏳ Telegram сейчас не принял фото. Пришлите его ещё раз через минуту.
edit-photo-late = 🖼 Это фото пришло слишком поздно: товар уже добавлен. Добавьте фото на странице товара.
edit-photo-of-category = 🖼 Раздел №{ $id }: { $title }
edit-photo-of-product = 🖼 Товар №{ $id }: { $title }
