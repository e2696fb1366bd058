# Что говорит `tolov audit`. Один текст на строку.

audit-order-unknown = заказ { $order } оплачен в журнале платежей, а магазин его не знает
audit-order-not-paid = заказ { $order } оплачен в журнале платежей, а в магазине не оплачен
audit-user-differs = заказ { $order } оплачен в журнале платежей, а в магазине у него другой покупатель
audit-amount-differs = заказ { $order } оплачен в журнале платежей, а в магазине у него другая сумма
audit-payment-differs = заказ { $order } оплачен в журнале платежей, а в магазине у него другой платёж
audit-order-unreadable = заказ { $order } в магазине не читается: { $reason }
audit-paid-in-shop-alone = заказ { $order } оплачен в магазине, а в журнале платежей его состояние: { $status }
audit-open-in-shop-alone = заказ { $order } в журнале платежей завершён без оплаты, а в магазине ещё ждёт её
audit-stock-not-settled = остатки по заказу { $order } не проведены
audit-refund-unknown = возврат { $refund } по заказу { $order } выполнен в журнале платежей, а в базе магазина его нет
audit-refund-amount-differs = у возврата { $refund } по заказу { $order } в базе магазина другая сумма
audit-refund-in-shop-alone = о возврате { $refund } по заказу { $order } знает только база магазина
audit-refund-hangs = возврат { $refund } по заказу { $order } больше суток в состоянии { $state }
audit-shopper-not-told = заказ { $order } оплачен, а покупателю об этом не сообщили
audit-staff-not-told = заказ { $order } оплачен, а сотрудникам об этом не сообщили
audit-question-not-told = сотрудникам не сказали о { $event }
audit-order-count = у покупателя { $user } оплаченных заказов: { $paid }, а записано { $counted }
audit-stock-held-for-nothing = { $count } шт. товара { $article } отложены для заказа { $order }, которому они больше не нужны
audit-event-unsent = событие { $event } ждёт шину больше минуты: { $reason }
audit-message-parked = сообщение { $message } отложено в { $queue }: { $reason }
audit-status-unknown = неизвестен
audit-not-asked = шину ещё не спрашивали, или она не отвечает

audit-do-repair-order = tolov audit --repair приведёт магазин к журналу платежей и отправит событие ещё раз
audit-do-compare-payments = сверьте заказ и оба платежа в кабинете CLICK и верните то, что оплачено дважды; если прав журнал платежей, tolov rebuild ORDER приведёт к нему магазин
audit-do-repair-document = исправьте или удалите документ и сверьте снова
audit-do-look-at-click = найдите платёж в кабинете CLICK: если деньги пришли, журнал восстановлен из слишком старой копии; если нет, кто-то писал в магазин
audit-do-settle = tolov audit --repair проведёт их; если не поможет, исправьте товар, покупателя или промокод, который назван в логе projector
audit-do-replay = tolov audit --repair публикует события заказа ещё раз; работает ли projector?
audit-do-compare-refund = сверьте заказ с кабинетом CLICK; tolov refund ORDER --by-hand записывает то, что возвращено там
audit-do-decide-refund = tolov refund ORDER --show говорит, чего он ждёт; решают --by-hand, --retry или --withdraw
audit-do-publish = tolov audit --repair отправит событие ещё раз; работает ли бот?
audit-do-count = tolov audit --repair пересчитает оплаченные заказы
audit-do-restock = tolov audit --repair вернёт их в остатки
audit-do-bring-bus-back = поднимите RabbitMQ; причина в логе webhook. Событие уйдёт само
audit-do-requeue = устраните причину, затем tolov audit --repair или tolov parked requeue

audit-repaired = исправлено
audit-not-repaired = не исправлено: { $reason }
audit-more = и ещё { $count }: исправьте эти и сверьте снова
audit-found-none = расхождений нет
audit-found-one = расхождений: 1
audit-found = расхождений: { $count }
audit-summary = { $found }; журнал платежей: оплачено заказов { $ledger-orders } на { $ledger-soum } сум, магазин: { $shop-orders } на { $shop-soum } сум; людей { $users }, товаров { $products }
