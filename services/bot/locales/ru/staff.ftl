# Сообщения в канале сотрудников.
staff-paid-title = 🛒 <b>Заказ №{ $order } оплачен</b>
staff-late-title = ⚠️ <b>Заказ №{ $order } оплачен С ОПОЗДАНИЕМ</b>
staff-questioned-title = ⚠️ <b>Заказ №{ $order }: ПРОВЕРЬТЕ ПЛАТЁЖ</b>
staff-shopper = Покупатель: <a href="tg://user?id={ $user }">{ $user }</a>
staff-time = Время: { $time }
staff-unplaced-title = ⚠️ <b>CLICK ПРИНЯЛ ДЕНЬГИ, КОТОРЫЕ НЕ УДАЛОСЬ ОТНЕСТИ К ЗАКАЗУ</b>
staff-click-transaction = Транзакция CLICK: <code>{ $transaction }</code>
staff-click-amount = Сумма по данным CLICK: <b>{ $amount }</b>
staff-click-order = Заказ по данным CLICK: <code>{ $order }</code>
staff-click-answer =
    { $answer ->
        [-5] Наш ответ CLICK: <code>{ $answer }</code>, такого заказа нет
        [-6] Наш ответ CLICK: <code>{ $answer }</code>, у заказа нет такого платежа
        [-8] Наш ответ CLICK: <code>{ $answer }</code>, запрос не удалось прочитать
       *[other] Наш ответ CLICK: <code>{ $answer }</code>
    }

staff-digest-title = 🛒 <b>Уведомлений в одном посте: { $count }</b>
staff-digest-entry = №{ $order } · { $total } · CLICK { $payment } · { $time }
staff-digest-attention = ⚠️ <b>№{ $order }</b> · { $total } · CLICK { $payment } · { $time } · покупатель { $user }

todo-late = Деньги пришли после того, как срок заказа истёк. Проверьте, есть ли товар: если есть, выполните заказ; если нет, верните деньги в кабинете CLICK и напишите покупателю.
todo-cancel-after-paid = CLICK сообщает об отмене оплаченного платежа. Не выдавайте товар: сначала проверьте в кабинете CLICK, вернулись ли деньги.
todo-paid-twice = За этот заказ пришёл второй платёж. Проверьте в кабинете CLICK и верните лишний.
todo-confirmed-after-cancel = CLICK подтвердил платёж, который сам отменил. Заказ не отмечен оплаченным: проверьте в кабинете CLICK; если деньги пришли, верните их или договоритесь с покупателем.
todo-amount-differs = Сумма платежа отличается от суммы заказа и не принята. Проверьте в кабинете CLICK и напишите покупателю.
todo-transaction-reused = Одна транзакция CLICK пришла для второго заказа и не принята. Проверьте в кабинете CLICK.
todo-unplaced = Найдите платёж в кабинете CLICK по его номеру. Затем верните там деньги или найдите плательщика и оформите заказ вручную.
todo-order-differs = В платеже указан другой покупатель или другая сумма, чем в заказе №{ $order } этого магазина. Так бывает после восстановления из копии. Проверьте платёж в кабинете CLICK и заказ здесь, затем выполните заказ или верните деньги.
todo-stock-not-settled = Остатки, корзину или промокод не удалось обновить. Проверьте товары этого заказа вручную и попросите администратора посмотреть журнал программы.
