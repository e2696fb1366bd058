# Что говорит `tolov receipts`. Один текст на строку.

receipts-missing = не хватает чеков: { $count }
receipts-line = заказ { $order }, { $sum } сум: { $state }
receipts-needed = будет отправлен
receipts-sent-again = CLICK не принял товары ({ $code } { $note }); они отправляются ещё раз
receipts-submitting = отправляется
receipts-unknown = отправлен, результат запрашивается у CLICK
receipts-submitted = принят CLICK, адрес ещё неизвестен
receipts-none = чека нет: { $why }
receipts-none-with-code = чека нет: { $why } ({ $code } { $note })
receipts-by-hand = вручную ({ $by }): { $document }
receipts-closing = { $todo }; сделанное вручную закрывает --by-hand "ДОКУМЕНТ"
receipts-return = деньги возвращены, и на возврат нужен свой чек: проверьте в кабинете CLICK, напечатан ли он, иначе напечатайте на своей кассе; затем --by-hand "ДОКУМЕНТ"
receipts-not-there = в журнале платежей нет чека по заказу { $order }, или заказ не оплачен
receipts-refused = отказано, { $code }: { $reason }
receipts-not-allowed = нынешнее состояние этого не допускает
receipts-stale = в тот же момент состояние изменилось: проверьте ещё раз

receipts-no-codes = у товара или доставки при заказе не было ИКПУ (МХИК), кода упаковки или ставки НДС
receipts-no-codes-do = задайте товару коды для следующих заказов; этот чек напечатайте в кабинете CLICK или на своей кассе
receipts-in-telegram = оплачено счётом Telegram, о котором Merchant API CLICK не знает
receipts-in-telegram-do = проверьте в кабинете CLICK, напечатан ли он там, иначе напечатайте на своей кассе
receipts-not-found = CLICK не находит платёж
receipts-not-found-do = найдите платёж в кабинете CLICK; если он там, --retry, иначе обратитесь в поддержку CLICK
receipts-refused-items = CLICK до конца срока не принимал товары
receipts-refused-items-do = прочитайте ответ CLICK, исправьте с поддержкой CLICK то, что он называет (коды в реестре, продавца), затем --retry
receipts-no-answer = до конца срока CLICK не дал ответа, которому можно верить
receipts-no-answer-do = когда CLICK снова отвечает (`tolov doctor`), --retry: сначала чек запрашивается у CLICK
receipts-no-address = CLICK принял товары, но уже неделю не даёт адреса чека
receipts-no-address-do = проверьте в кабинете CLICK, напечатан ли он; спросите поддержку CLICK и до ответа не печатайте второй
receipts-refunded = деньги возвращены раньше, чем товары были отправлены в CLICK
receipts-refunded-do = продажи не было: закройте номером возврата вместо документа, если налоговый консультант не требует обоих чеков
receipts-content-lost = заказ вернулся при восстановлении, и никто не знает, что было продано
receipts-content-lost-do = у CLICK нет этого чека: узнайте у покупателя, что куплено, и напечатайте на своей кассе
receipts-content-differs = RECEIPT_SELLER или CLICK_SERVICE_ID не те, с которыми чек отправлялся раньше
receipts-content-differs-do = проверьте в кабинете CLICK, напечатан ли он; если нет, верните прежнее значение и --retry
