# Сообщения в канале сотрудников.
staff-paid-title = 🛒 <b>Заказ №{ $order } оплачен</b>
staff-late-title = ⚠️ <b>Заказ №{ $order } оплачен ПОЗДНО</b>
staff-questioned-title = ⚠️ <b>Заказ №{ $order }: ПРОВЕРЬТЕ ПЛАТЁЖ</b>
staff-shopper = Покупатель: <a href="tg://user?id={ $user }">{ $user }</a>
staff-time = Время: { $time }

staff-digest-title =
    { $count ->
        [one] 🛒 <b>{ $count } сообщение вместе</b>
        [few] 🛒 <b>{ $count } сообщения вместе</b>
       *[other] 🛒 <b>{ $count } сообщений вместе</b>
    }
staff-digest-entry = №{ $order } · { $total } · CLICK { $payment } · { $time }
staff-digest-attention = ⚠️ <b>№{ $order }</b> · { $total } · CLICK { $payment } · { $time } · покупатель { $user }

todo-late = Деньги пришли после того, как срок заказа истёк. Проверьте, есть ли товар: если есть, выполните заказ; если нет, верните деньги в кабинете CLICK и напишите покупателю.
todo-cancel-after-paid = CLICK сообщает об отмене оплаченного платежа. Не выдавайте товар: сначала проверьте в кабинете CLICK, вернулись ли деньги.
todo-paid-twice = За этот заказ пришёл второй платёж. Проверьте в кабинете CLICK и верните лишний.
todo-confirmed-after-cancel = CLICK подтвердил платёж, который сам отменил. Заказ не отмечен оплаченным: проверьте в кабинете CLICK; если деньги пришли, верните их или договоритесь с покупателем.
todo-amount-differs = Сумма платежа отличается от суммы заказа и не принята. Проверьте в кабинете CLICK и напишите покупателю.
todo-transaction-reused = Одна транзакция CLICK пришла для второго заказа и не принята. Проверьте в кабинете CLICK.
