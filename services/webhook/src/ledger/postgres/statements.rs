//! The statements by which the writer reads and writes on PostgreSQL. Each is that of [`crate::ledger::file`] in the other
//! dialect.

/// As on SQLite: orders by their numbers, by attempts, by transactions and by charges of Telegram's; with all that belongs to
/// them.
pub(super) const LOAD: &str = "
SELECT coalesce(json_agg(json_build_object('order_id', o.order_id, 'user_id', o.user_id, 'products', o.products::json,
    'amount_tiyin', o.amount_tiyin, 'status', o.status, 'changed_at', o.changed_at, 'paid_by', o.paid_by,
    'attempts', (
      SELECT coalesce(json_agg(json_build_object('prepare_id', a.prepare_id, 'order_id', a.order_id,
          'click_trans_id', a.click_trans_id, 'click_paydoc_id', a.click_paydoc_id, 'amount_tiyin', a.amount_tiyin,
          'state', a.state, 'prepared_at', a.prepared_at, 'settled_at', a.settled_at, 'paid_trans_id', a.paid_trans_id,
          'paid_paydoc_id', a.paid_paydoc_id, 'click_error', a.click_error, 'paid_source', a.paid_source,
          'paid_late', a.paid_late)), '[]')
        FROM attempts AS a WHERE a.order_id = o.order_id),
    'refunds', (
      SELECT coalesce(json_agg(r.refund::json), '[]') FROM refunds_as_json AS r WHERE r.order_id = o.order_id),
    'telegram_payments', (
      SELECT coalesce(json_agg(json_build_object('prepare_id', t.prepare_id, 'order_id', t.order_id, 'payload', t.payload,
          'user_id', t.user_id, 'amount_tiyin', t.amount_tiyin, 'currency', t.currency,
          'telegram_charge_id', t.telegram_charge_id, 'provider_charge_id', t.provider_charge_id,
          'received_at', t.received_at, 'outcome', t.outcome)), '[]')
        FROM telegram_payments AS t WHERE t.order_id = o.order_id),
    'phone_invoices', (
      SELECT coalesce(json_agg(i.invoice::json), '[]') FROM phone_invoices_as_json AS i WHERE i.order_id = o.order_id)
  )), '[]')::text
  FROM (
    SELECT unnest($1::bigint[]) AS order_id
    UNION
    SELECT a.order_id FROM attempts AS a WHERE a.prepare_id = ANY($2::bigint[])
    UNION
    SELECT a.order_id FROM attempts AS a WHERE a.paid_trans_id = ANY($3::bigint[]) AND a.state = 'paid'
    UNION
    SELECT t.order_id FROM telegram_payments AS t WHERE t.telegram_charge_id = ANY($4::text[]) AND t.outcome = 'paid'
    UNION
    SELECT t.order_id FROM telegram_payments AS t WHERE t.provider_charge_id = ANY($4::text[]) AND t.outcome = 'paid'
  ) AS wanted JOIN orders AS o USING (order_id)";

/// The receipts of these orders that are paid.
pub(super) const LOAD_RECEIPTS: &str = "
SELECT coalesce(json_agg(r.receipt::json), '[]')::text FROM receipts_as_json AS r
  WHERE r.order_id = ANY($1::bigint[]) AND r.state <> 'agreed'";

/// As on SQLite, in the same order; each with JSON as its parameter.
pub(super) const STORE: [&str; 20] = [
    "INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at,
    traceparent)
  SELECT order_id, user_id, products::text, amount_tiyin, 'click', 'pending', created_at, created_at, traceparent
  FROM json_to_recordset($1::json)
    AS new (order_id bigint, user_id bigint, products json, amount_tiyin bigint, created_at bigint,
      traceparent text)",
    // Before the orders change: the trigger makes the receipt of one that is paid at once needed.
    "INSERT INTO receipts (order_id, content, state, since, changed_at, changed_by, step, tries)
  SELECT o.order_id, kept.content::text, 'agreed', kept.at, kept.at, 'ledger', 0, 0
  FROM json_to_recordset($1::json) AS kept (order_id bigint, content json, at bigint)
    JOIN orders AS o ON o.order_id = kept.order_id
  WHERE o.status <> 'paid' ON CONFLICT (order_id) DO NOTHING",
    "INSERT INTO attempts (prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at,
    settled_at, paid_trans_id, paid_paydoc_id, click_error, paid_source)
  SELECT prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at, settled_at,
    paid_trans_id, paid_paydoc_id, click_error, paid_source
  FROM json_to_recordset($1::json) AS new (prepare_id bigint, order_id bigint, click_trans_id bigint,
    click_paydoc_id bigint, amount_tiyin bigint, state text, prepared_at bigint, settled_at bigint, paid_trans_id bigint,
    paid_paydoc_id bigint, click_error bigint, paid_source text)
  ON CONFLICT (prepare_id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at,
    paid_trans_id = excluded.paid_trans_id, paid_paydoc_id = excluded.paid_paydoc_id,
    click_error = excluded.click_error, paid_source = excluded.paid_source,
    -- These never change; were the row another attempt's, the trigger refuses.
    order_id = excluded.order_id, click_trans_id = excluded.click_trans_id",
    "UPDATE orders SET status = change.status, paid_by = change.paid_by, changed_at = change.changed_at
  FROM json_to_recordset($1::json) AS change (order_id bigint, status text, paid_by bigint, changed_at bigint)
  WHERE orders.order_id = change.order_id",
    "INSERT INTO callbacks (received_at, peer, order_id, fields, code, answer, unplaced, source)
  SELECT received_at, peer, order_id, fields, code, answer, unplaced, source
  FROM json_to_recordset($1::json) AS new (received_at bigint, peer text, order_id bigint, fields text, code bigint,
    answer text, unplaced boolean, source text)",
    "INSERT INTO unverified_callbacks (received_at, peer, fields, code)
  SELECT received_at, peer, fields, code
  FROM json_to_recordset($1::json) AS new (received_at bigint, peer text, fields text, code bigint)",
    // What no request caused (a time limit) belongs to the trace of its order.
    "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at, sent_at, traceparent)
  SELECT event_id, order_id, routing_key, schema, body, created_at, sent_at,
    coalesce(traceparent, (SELECT o.traceparent FROM orders AS o WHERE o.order_id = new.order_id))
  FROM json_to_recordset($1::json) AS new (event_id text, order_id bigint, routing_key text, schema text, body text,
    created_at bigint, sent_at bigint, traceparent text)
  ON CONFLICT (event_id) DO NOTHING",
    // Where the clock was set back in between, an event is not sent before it was written.
    "UPDATE outbox SET sent_at = greatest(outbox.created_at, mark.sent_at), last_error = NULL
  FROM json_to_recordset($1::json) AS mark (id bigint, sent_at bigint) WHERE outbox.id = mark.id",
    "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0
  FROM json_array_elements($1::json) AS ids (pair)
  WHERE sent_at IS NOT NULL AND event_id >= ids.pair ->> 0 AND event_id < ids.pair ->> 1",
    "UPDATE outbox SET refusals = outbox.refusals + 1, retry_at = mark.retry_at, last_error = mark.reason
  FROM json_to_recordset($1::json) AS mark (id bigint, retry_at bigint, reason text) WHERE outbox.id = mark.id",
    "INSERT INTO refunds (refund_id, order_id, prepare_id, request_id, amount_tiyin, returned, requested_by, reason,
    requested_at, state, payment_id, click_code, click_note, why, decided_by, document, changed_at, step, tries,
    next_step_at)
  SELECT refund_id, order_id, prepare_id, request_id, amount_tiyin, returned::text, requested_by, reason, requested_at,
    state, payment_id, click_code, click_note, why, decided_by, document, changed_at, step, tries, next_step_at
  FROM json_to_recordset($1::json) AS new (refund_id bigint, order_id bigint, prepare_id bigint, request_id text,
    amount_tiyin bigint, returned json, requested_by text, reason text, requested_at bigint, state text,
    payment_id bigint, click_code bigint, click_note text, why text, decided_by text, document text, changed_at bigint,
    step bigint, tries bigint, next_step_at bigint)
  ON CONFLICT (refund_id) DO UPDATE SET state = excluded.state, payment_id = excluded.payment_id,
    click_code = excluded.click_code, click_note = excluded.click_note, why = excluded.why,
    decided_by = excluded.decided_by, document = excluded.document, changed_at = excluded.changed_at,
    step = excluded.step, tries = excluded.tries, next_step_at = excluded.next_step_at,
    -- These never change; were the row another refund's, the trigger refuses.
    order_id = excluded.order_id, request_id = excluded.request_id",
    "INSERT INTO refund_steps (refund_id, step, at, state, by, payment_id, click_code, click_note, why, document)
  SELECT refund_id, step, at, state, by, payment_id, click_code, click_note, why, document
  FROM json_to_recordset($1::json) AS new (refund_id bigint, step bigint, at bigint, state text, by text,
    payment_id bigint, click_code bigint, click_note text, why text, document text)",
    // One statement changes a row once: of several rows the last counts, as where they come one after the other.
    "INSERT INTO attempt_checks (prepare_id, times, checked_at, payment_id, status)
  SELECT DISTINCT ON (prepare_id) prepare_id, coalesce(max(times) OVER (PARTITION BY prepare_id),
      1 + (SELECT c.times FROM attempt_checks AS c
        WHERE c.prepare_id = new.prepare_id AND c.checked_at <= new.checked_at + 60000), 1),
    checked_at, payment_id, status
  FROM ROWS FROM (json_to_recordset($1::json)
    AS (prepare_id bigint, times bigint, checked_at bigint, payment_id bigint, status bigint)) WITH ORDINALITY
    AS new (prepare_id, times, checked_at, payment_id, status, place)
  ORDER BY prepare_id, place DESC
  ON CONFLICT (prepare_id) DO UPDATE
    SET times = CASE WHEN attempt_checks.checked_at > excluded.checked_at + 60000 THEN excluded.times
      ELSE greatest(attempt_checks.times, excluded.times) END,
    checked_at = excluded.checked_at, payment_id = excluded.payment_id, status = excluded.status",
    "INSERT INTO merchant_api_calls (at, order_id, method, path, outcome, code, note)
  SELECT at, order_id, method, path, outcome, code, note
  FROM json_to_recordset($1::json) AS new (at bigint, order_id bigint, method text, path text, outcome text, code bigint,
    note text)",
    "INSERT INTO telegram_payments (prepare_id, order_id, payload, user_id, amount_tiyin, currency, telegram_charge_id,
    provider_charge_id, received_at, outcome)
  SELECT prepare_id, order_id, payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id,
    received_at, outcome
  FROM json_to_recordset($1::json) AS new (prepare_id bigint, order_id bigint, payload text, user_id bigint,
    amount_tiyin bigint, currency text, telegram_charge_id text, provider_charge_id text, received_at bigint,
    outcome text)
  -- One that belongs to no order came before; every other repetition was found.
  ON CONFLICT (telegram_charge_id) WHERE outcome = 'unplaced' DO NOTHING",
    "INSERT INTO phone_invoices (phone_invoice_id, order_id, phone, amount_tiyin, requested_at, state, invoice_id,
    click_code, click_note, changed_at, step, next_step_at)
  SELECT DISTINCT ON (phone_invoice_id) phone_invoice_id, order_id, phone, amount_tiyin, requested_at, state, invoice_id,
    click_code, click_note, changed_at, step, next_step_at
  FROM ROWS FROM (json_to_recordset($1::json) AS (phone_invoice_id bigint, order_id bigint, phone text,
    amount_tiyin bigint, requested_at bigint, state text, invoice_id bigint, click_code bigint, click_note text,
    changed_at bigint, step bigint, next_step_at bigint)) WITH ORDINALITY
    AS new (phone_invoice_id, order_id, phone, amount_tiyin, requested_at, state, invoice_id, click_code, click_note,
    changed_at, step, next_step_at, place)
  ORDER BY phone_invoice_id, place DESC
  ON CONFLICT (phone_invoice_id) DO UPDATE SET state = excluded.state, invoice_id = excluded.invoice_id,
    click_code = excluded.click_code, click_note = excluded.click_note, changed_at = excluded.changed_at,
    step = excluded.step, next_step_at = excluded.next_step_at",
    "INSERT INTO payment_reports (prepare_id, at, source, by, payment_id)
  SELECT prepare_id, at, source, by, payment_id
  FROM json_to_recordset($1::json) AS new (prepare_id bigint, at bigint, source text, by text, payment_id bigint)",
    "INSERT INTO compared_days (day, compared_at, click)
  SELECT DISTINCT ON (day) day, compared_at, click::text
  FROM json_to_recordset($1::json) AS new (day text, compared_at bigint, click json)
  ON CONFLICT (day) DO UPDATE SET compared_at = excluded.compared_at, click = excluded.click
    WHERE compared_days.compared_at > excluded.compared_at + 3600000",
    "INSERT INTO restore_checks (restore_id, checked_at)
  SELECT restore_id, checked_at FROM json_to_recordset($1::json) AS new (restore_id bigint, checked_at bigint)
  ON CONFLICT DO NOTHING",
    "UPDATE receipts SET state = next.state, payment_id = next.payment_id, url = next.url, click_code = next.click_code,
    click_note = next.click_note, why = next.why, decided_by = next.decided_by, document = next.document,
    body_hash = next.body_hash, since = next.since, changed_at = next.changed_at, changed_by = next.by,
    step = next.step, tries = next.tries, next_step_at = next.next_step_at
  FROM json_to_recordset($1::json) AS next (order_id bigint, state text, payment_id bigint, url text, click_code bigint,
    click_note text, why text, decided_by text, document text, body_hash text, since bigint, changed_at bigint, by text,
    step bigint, tries bigint, next_step_at bigint)
  WHERE receipts.order_id = next.order_id",
];
