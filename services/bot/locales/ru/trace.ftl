# /trace, для владельцев: всё, что известно о заказе.
trace-which = 🧾 Напишите номер заказа после команды: /trace 1001
trace-nothing = Заказ { $order } никому не известен.
trace-title = 🧾 <b>Заказ { $order }</b>: всё, что о нём известно, сначала самое раннее
trace-entry = { $time } · <b>{ $source }</b>
    { $text }
trace-now = сейчас
trace-more = Не поместилось записей: { $count }. Всё покажет команда <code>tolov trace { $order }</code> на сервере.
