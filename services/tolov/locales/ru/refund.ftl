# Что говорит `tolov refund`. Один текст на строку.

refund-sums = оплачено: { $paid } сум; возвращено: { $returned } сум
refund-by-click = CLICK может вернуть платёж целиком, если платили онлайн-картой
refund-by-click-until = CLICK может вернуть платёж целиком до { $until }, если платили онлайн-картой
refund-not-paid = заказ не оплачен
refund-nothing-left = возвращать больше нечего
refund-is-open = возврат уже идёт
refund-outside-month = CLICK возвращает платежи текущего месяца, а 1-го числа и прошлого: только вручную
refund-part-before = часть уже возвращена: остальное возвращается вручную
refund-paid-in-telegram = оплачено счётом Telegram: верните деньги в кабинете CLICK
refund-api-off = CLICK_MERCHANT_USER_ID не задан: только вручную

refund-line = возврат { $refund } на { $sum } сум, запросил { $by } в { $at }: { $state }
refund-requested = запрошен
refund-sending = отправляется
refund-asking = результат запрашивается у CLICK
refund-unknown = результат неизвестен: проверьте в кабинете CLICK, затем --by-hand или --retry
refund-refused-by-click = CLICK отказал ({ $code } { $note }): верните деньги вручную, затем --by-hand
refund-manual = вручную, так как { $why }: верните деньги, затем --by-hand
refund-done = возвращено через CLICK
refund-done-by-hand = возвращено вручную: { $document }
refund-withdrawn = отозван
refund-why-outside-month = CLICK возвращает платежи только текущего месяца
refund-why-part = CLICK возвращает платёж только целиком
refund-why-api-off = у магазина нет доступа к Merchant API CLICK
refund-why-in-telegram = оплачено счётом Telegram, о котором Merchant API CLICK не знает
refund-why-not-found = CLICK не находит платёж
refund-why-looks-reversed = CLICK показывает платёж неоплаченным, хотя ничего не отправлялось (возможно, деньги уже возвращены)
refund-why-ledger-restored = книга платежей восстановлена из копии, где этот возврат был открыт (возможно, с тех пор деньги вернули или возврат отменили)

refund-ask-through-click = Вернуть { $sum } сум за заказ { $order } через CLICK?
refund-ask-in-cabinet = Записать возврат { $sum } сум за заказ { $order }, который вы сделаете вручную в кабинете CLICK?
refund-ask-by-hand = { $sum } сум действительно возвращены вручную?
refund-ask-retry = В кабинете видно, что { $sum } сум не возвращены?
refund-ask-withdraw = Отозвать возврат { $sum } сум? Деньги не вернутся.
refund-write-yes = Напишите yes:
refund-nothing-done = ничего не сделано

refund-order-unknown = в журнале платежей нет заказа { $order }
refund-decide-first = возврат по этому заказу уже идёт, решают --by-hand, --retry или --withdraw
refund-none-open = по этому заказу нет открытого возврата
refund-not-within = осталось вернуть { $left } сум: укажите в --amount больше 0 и не больше этого
refund-lines-not-left = товара больше, чем куплено и ещё не возвращено, или его нет в заказе: проверьте --lines
refund-refused = отказано, { $code }: { $reason }
refund-other-request = такой запрос уже был, но с другим содержанием
refund-not-allowed = нынешнее состояние этого не допускает
refund-stale = в тот же момент состояние изменилось: проверьте ещё раз
