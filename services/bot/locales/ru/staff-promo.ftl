# Промокоды.
edit-promos-empty = 🎟 <b>Промокоды</b>
    Пока нет ни одного.
edit-promos-title = 🎟 <b>Промокоды</b>: { $count }
    Код · скидка · сколько раз использован
edit-promo-add = ➕ Добавить промокод
edit-promo-switch-on = ▶️ Включить
edit-promo-switch-off = ⏸ Выключить
edit-promo-any-goods = любая сумма
edit-promo-for-ever = бессрочно
edit-promo-unbounded = без ограничения (не больше { $count })
edit-promo-choose-any-goods = Любая сумма
edit-promo-choose-for-ever = Бессрочно
edit-promo-choose-unbounded = Без ограничения (не больше { $count })
edit-promo-is-on = ✅ Действует
edit-promo-is-off = ⏸ Выключен
edit-promo-is-over = ⌛ Срок истёк
edit-promo-card = 🎟 <code>{ $code }</code> · <b>{ $off }</b>
    { $state }

    Минимальная покупка: { $goods }
    Использован: { $used } / { $uses }
    На одного покупателя: { $shopper }
    Последний день: { $until }
edit-promo-ask-code = 🎟 <b>Новый промокод</b>

    Напишите код: латинские буквы, цифры, - и _ (не длиннее { $count } символов). Например: LETO2027
edit-promo-ask-off = 🎟 <code>{ $code }</code>

    Какая скидка? Напишите процент (10%, не больше 99%) или сумму в сумах (20 000).
edit-promo-ask-goods = 🎟 <code>{ $code }</code>

    От какой суммы покупки, в сумах? Например: 100 000
edit-promo-ask-uses = 🎟 <code>{ $code }</code>

    Сколько раз его можно использовать всего? Число от 1 до { $count }.
edit-promo-ask-shopper = 🎟 <code>{ $code }</code>

    Сколько раз может использовать один покупатель? Обычно 1.
edit-promo-ask-until = 🎟 <code>{ $code }</code>

    Последний день? В виде дд.мм.гггг, сегодня или позже. Например: 31.12.2027
edit-promo-review = Всё верно?
edit-promo-make = ✅ Создать
edit-promo-there = Код { $code } уже есть
