# Что говорит `tolov trace`. Один текст на строку.

trace-nothing = Этот номер заказа никому не известен
trace-away = Не удалось спросить: { $reason }
trace-registered = Зарегистрирован для покупателя { $user }: { $amount } сум, товары { $products }
trace-ended = Состояние заказа: { $status }
trace-prepared = CLICK подготовил попытку { $attempt }: транзакция { $transaction }, номер платежа { $paydoc }
trace-attempt-paid = Попытка { $attempt } оплачена: транзакция { $transaction }, номер платежа { $paydoc }
trace-attempt-cancelled = CLICK отменил попытку { $attempt }, ошибка { $error }
trace-attempt-given-up = Попытка { $attempt } закрыта вместе с заказом
trace-callback = { $action } от { $peer }: на { $fields } отвечено { $answer }
trace-unplaced = CLICK взял деньги, для которых нет заказа: { $action } от { $peer }: на { $fields } отвечено { $answer }
trace-taken-back = Восстановление вернуло платёж, о котором знает { $peer }: { $fields }
trace-event = Записано событие { $event }
trace-event-sent = Шина подтвердила { $event }
trace-event-waits = { $event } ждёт шину; отказов: { $refusals }, последний: { $error }
trace-waiting = { $queue }: ждут { $ready }, повторяются { $retrying } сообщений всех заказов
trace-parked = { $message } отложено в { $queue } после { $retries } повторов: { $reason }
trace-placed = Оформлен покупателем { $user } на { $amount } сум: { $lines }
trace-history = { $what }, кто: { $by } (событие { $event })
trace-stands = Состояние заказа: { $stage }, остатки: { $stock }, оплата: { $payment }, не хватает товаров: { $missing }
trace-staff = Сотрудник { $staff }: { $action }
trace-told = { $notification } отправлено, сообщение { $message }
trace-undeliverable = { $notification } нельзя доставить: { $reason }
trace-not-told = { $notification } ещё не отправлено
trace-message = Сообщение заказа ({ $place }): { $message }
trace-operator = Оператор { $user } выполнил { $command }: { $details }
