//! The statements by which the writer reads and writes.

/// The orders with these numbers, with an attempt of these numbers, or with one that these transactions or charges of
/// Telegram's have paid; each with all its attempts, refunds, payments in Telegram and invoices.
pub(super) const LOAD: &str = "
SELECT json_group_array(json_object('order_id', o.order_id, 'user_id', o.user_id, 'products', json(o.products),
    'amount_tiyin', o.amount_tiyin, 'status', o.status, 'changed_at', o.changed_at, 'paid_by', o.paid_by,
    'attempts', json((
      SELECT json_group_array(json_object('prepare_id', a.prepare_id, 'order_id', a.order_id,
          'click_trans_id', a.click_trans_id, 'click_paydoc_id', a.click_paydoc_id, 'amount_tiyin', a.amount_tiyin,
          'state', a.state, 'prepared_at', a.prepared_at, 'settled_at', a.settled_at, 'paid_trans_id', a.paid_trans_id,
          'paid_paydoc_id', a.paid_paydoc_id, 'click_error', a.click_error, 'paid_source', a.paid_source,
          'paid_late', json(iif(a.paid_late, 'true', 'false'))))
        FROM attempts AS a WHERE a.order_id = o.order_id)),
    'refunds', json((
      SELECT json_group_array(json(r.refund)) FROM refunds_as_json AS r WHERE r.order_id = o.order_id)),
    'telegram_payments', json((
      SELECT json_group_array(json_object('prepare_id', t.prepare_id, 'order_id', t.order_id, 'payload', t.payload,
          'user_id', t.user_id, 'amount_tiyin', t.amount_tiyin, 'currency', t.currency,
          'telegram_charge_id', t.telegram_charge_id, 'provider_charge_id', t.provider_charge_id,
          'received_at', t.received_at, 'outcome', t.outcome))
        FROM telegram_payments AS t WHERE t.order_id = o.order_id)),
    'phone_invoices', json((
      SELECT json_group_array(json(i.invoice)) FROM phone_invoices_as_json AS i WHERE i.order_id = o.order_id))))
  FROM (
    SELECT value AS order_id FROM json_each(?1)
    UNION
    SELECT a.order_id FROM json_each(?2) AS wanted CROSS JOIN attempts AS a ON a.prepare_id = wanted.value
    UNION
    SELECT a.order_id FROM json_each(?3) AS wanted CROSS JOIN attempts AS a
      ON a.paid_trans_id = wanted.value AND a.state = 'paid'
    UNION
    SELECT t.order_id FROM json_each(?4) AS wanted CROSS JOIN telegram_payments AS t
      ON t.telegram_charge_id = wanted.value AND t.outcome = 'paid'
    UNION
    SELECT t.order_id FROM json_each(?4) AS wanted CROSS JOIN telegram_payments AS t
      ON t.provider_charge_id = wanted.value AND t.outcome = 'paid'
  ) CROSS JOIN orders AS o USING (order_id)";

/// The receipts of these orders that are paid.
pub(super) const LOAD_RECEIPTS: &str = "
SELECT json_group_array(json(r.receipt)) FROM json_each(?1) AS wanted
  CROSS JOIN receipts_as_json AS r ON r.order_id = wanted.value WHERE r.state <> 'agreed'";

/// What a transaction may do, in the order in which foreign keys want it. A statement has either JSON of all its rows as its
/// parameter, or `VALUES` of one row, which stand for as many as there are: those run for every callback, and SQLite reads
/// bound values in a third of the time of JSON.
///
/// Parameters have no names: sqlx binds a text of several statements one by one and counts them on from statement to statement,
/// and finding out the name of one takes SQLite longer the more there are.
pub(super) const STORE: [&str; 20] = [
    "INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at,
    traceparent)
  SELECT value ->> 'order_id', value ->> 'user_id', value -> 'products', value ->> 'amount_tiyin', 'click', 'pending',
    value ->> 'created_at', value ->> 'created_at', value ->> 'traceparent'
  FROM jsonb_each(?);",
    "-- Before the orders change: the trigger makes the receipt of one that is paid at once needed.
INSERT INTO receipts (order_id, content, state, since, changed_at, changed_by, step, tries)
  SELECT o.order_id, kept.value -> 'content', 'agreed', kept.value ->> 'at', kept.value ->> 'at', 'ledger', 0, 0
  FROM jsonb_each(?) AS kept CROSS JOIN orders AS o ON o.order_id = kept.value ->> 'order_id'
  WHERE o.status <> 'paid' ON CONFLICT (order_id) DO NOTHING;",
    "INSERT INTO attempts (prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at,
    settled_at, paid_trans_id, paid_paydoc_id, click_error, paid_source)
  SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
  ON CONFLICT (prepare_id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at,
    paid_trans_id = excluded.paid_trans_id, paid_paydoc_id = excluded.paid_paydoc_id,
    click_error = excluded.click_error, paid_source = excluded.paid_source,
    -- These never change; were the row another attempt's, the trigger refuses.
    order_id = excluded.order_id, click_trans_id = excluded.click_trans_id;",
    "UPDATE orders SET status = change.column2, paid_by = change.column3, changed_at = change.column4
  FROM (VALUES (?, ?, ?, ?)) AS change WHERE orders.order_id = change.column1;",
    "INSERT INTO callbacks (received_at, peer, order_id, fields, code, answer, unplaced, source)
  SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL;",
    "INSERT INTO unverified_callbacks (received_at, peer, fields, code)
  SELECT value ->> 'received_at', value ->> 'peer', value ->> 'fields', value ->> 'code' FROM jsonb_each(?);",
    "-- What no request caused (a time limit) belongs to the trace of its order.
INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at, sent_at, traceparent)
  SELECT column1, column2, column3, column4, column5, column6, column7, coalesce(column8,
      (SELECT o.traceparent FROM orders AS o WHERE o.order_id = column2))
  FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
  ON CONFLICT (event_id) DO NOTHING;",
    "-- Where the clock was set back in between, an event is not sent before it was written.
UPDATE outbox SET sent_at = max(created_at, mark.column2), last_error = NULL
  FROM (VALUES (?, ?)) AS mark WHERE outbox.id = mark.column1;",
    "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0 WHERE sent_at IS NOT NULL AND id IN
  (SELECT again.id FROM jsonb_each(?) AS range CROSS JOIN outbox AS again
     ON again.event_id >= range.value ->> 0 AND again.event_id < range.value ->> 1);",
    "UPDATE outbox SET refusals = refusals + 1, retry_at = mark.value ->> 'retry_at', last_error = mark.value ->> 'reason'
  FROM jsonb_each(?) AS mark WHERE outbox.id = mark.value ->> 'id';",
    "INSERT INTO refunds (refund_id, order_id, prepare_id, request_id, amount_tiyin, returned, requested_by, reason,
    requested_at, state, payment_id, click_code, click_note, why, decided_by, document, changed_at, step, tries,
    next_step_at)
  SELECT value ->> 'refund_id', value ->> 'order_id', value ->> 'prepare_id', value ->> 'request_id',
    value ->> 'amount_tiyin', value -> 'returned', value ->> 'requested_by', value ->> 'reason',
    value ->> 'requested_at', value ->> 'state', value ->> 'payment_id', value ->> 'click_code',
    value ->> 'click_note', value ->> 'why', value ->> 'decided_by', value ->> 'document', value ->> 'changed_at',
    value ->> 'step', value ->> 'tries', value ->> 'next_step_at'
  FROM jsonb_each(?) WHERE true
  ON CONFLICT (refund_id) DO UPDATE SET state = excluded.state, payment_id = excluded.payment_id,
    click_code = excluded.click_code, click_note = excluded.click_note, why = excluded.why,
    decided_by = excluded.decided_by, document = excluded.document, changed_at = excluded.changed_at,
    step = excluded.step, tries = excluded.tries, next_step_at = excluded.next_step_at,
    -- These never change; were the row another refund's, the trigger refuses.
    order_id = excluded.order_id, request_id = excluded.request_id;",
    "INSERT INTO refund_steps (refund_id, step, at, state, by, payment_id, click_code, click_note, why, document)
  SELECT value ->> 'refund_id', value ->> 'step', value ->> 'at', value ->> 'state', value ->> 'by',
    value ->> 'payment_id', value ->> 'click_code', value ->> 'click_note', value ->> 'why', value ->> 'document'
  FROM jsonb_each(?);",
    "INSERT INTO attempt_checks (prepare_id, times, checked_at, payment_id, status)
  SELECT value ->> 'prepare_id',
    coalesce(value ->> 'times', 1 + (SELECT c.times FROM attempt_checks AS c
      WHERE c.prepare_id = value ->> 'prepare_id' AND c.checked_at <= value ->> 'checked_at' + 60000), 1),
    value ->> 'checked_at', value ->> 'payment_id', value ->> 'status'
  FROM jsonb_each(?) WHERE true
  -- What a clock that was ahead has counted does not count.
  ON CONFLICT (prepare_id) DO UPDATE
    SET times = iif(checked_at > excluded.checked_at + 60000, excluded.times, max(times, excluded.times)),
    checked_at = excluded.checked_at, payment_id = excluded.payment_id, status = excluded.status;",
    "INSERT INTO merchant_api_calls (at, order_id, method, path, outcome, code, note)
  SELECT value ->> 'at', value ->> 'order_id', value ->> 'method', value ->> 'path', value ->> 'outcome',
    value ->> 'code', value ->> 'note'
  FROM jsonb_each(?);",
    "INSERT INTO telegram_payments (prepare_id, order_id, payload, user_id, amount_tiyin, currency, telegram_charge_id,
    provider_charge_id, received_at, outcome)
  SELECT value ->> 'prepare_id', value ->> 'order_id', value ->> 'payload', value ->> 'user_id',
    value ->> 'amount_tiyin', value ->> 'currency', value ->> 'telegram_charge_id', value ->> 'provider_charge_id',
    value ->> 'received_at', value ->> 'outcome'
  FROM jsonb_each(?) WHERE true
  -- One that belongs to no order came before; every other repetition was found.
  ON CONFLICT (telegram_charge_id) WHERE outcome = 'unplaced' DO NOTHING;",
    "INSERT INTO phone_invoices (phone_invoice_id, order_id, phone, amount_tiyin, requested_at, state, invoice_id,
    click_code, click_note, changed_at, step, next_step_at)
  SELECT value ->> 'phone_invoice_id', value ->> 'order_id', value ->> 'phone', value ->> 'amount_tiyin',
    value ->> 'requested_at', value ->> 'state', value ->> 'invoice_id', value ->> 'click_code', value ->> 'click_note',
    value ->> 'changed_at', value ->> 'step', value ->> 'next_step_at'
  FROM jsonb_each(?) WHERE true
  ON CONFLICT (phone_invoice_id) DO UPDATE SET state = excluded.state, invoice_id = excluded.invoice_id,
    click_code = excluded.click_code, click_note = excluded.click_note, changed_at = excluded.changed_at,
    step = excluded.step, next_step_at = excluded.next_step_at;",
    "INSERT INTO payment_reports (prepare_id, at, source, by, payment_id)
  SELECT value ->> 'prepare_id', value ->> 'at', value ->> 'source', value ->> 'by', value ->> 'payment_id'
  FROM jsonb_each(?);",
    "INSERT INTO compared_days (day, compared_at, click)
  SELECT value ->> 'day', value ->> 'compared_at', json(value -> 'click') FROM jsonb_each(?) WHERE true
  -- Only a clock that was ahead has compared it later than now.
  ON CONFLICT (day) DO UPDATE SET compared_at = excluded.compared_at, click = excluded.click
    WHERE compared_at > excluded.compared_at + 3600000;",
    "INSERT INTO restore_checks (restore_id, checked_at)
  SELECT value ->> 'restore_id', value ->> 'checked_at' FROM jsonb_each(?) WHERE true ON CONFLICT DO NOTHING;",
    "UPDATE receipts SET state = next.value ->> 'state', payment_id = next.value ->> 'payment_id',
    url = next.value ->> 'url', click_code = next.value ->> 'click_code', click_note = next.value ->> 'click_note',
    why = next.value ->> 'why', decided_by = next.value ->> 'decided_by', document = next.value ->> 'document',
    body_hash = next.value ->> 'body_hash', since = next.value ->> 'since', changed_at = next.value ->> 'changed_at',
    changed_by = next.value ->> 'by', step = next.value ->> 'step', tries = next.value ->> 'tries',
    next_step_at = next.value ->> 'next_step_at'
  FROM jsonb_each(?) AS next WHERE receipts.order_id = next.value ->> 'order_id';",
];
