// Orders, from their trace events.

import { feed } from './feed.js';

export const STAGES = [
  'order', 'prepare', 'complete', 'ledger', 'outbox', 'broker', 'projector', 'store', 'bot', 'telegram',
];
/** Shown of the orders that have come there: what CLICK's Merchant API was asked for. */
const AFTERWARDS = ['receipt', 'refund'];

/** The stages of an order's path. */
export const stagesOf = (order) => [...STAGES, ...AFTERWARDS.filter((stage) => order?.stages.has(stage))];
/** The oldest are dropped. */
const MAX_ORDERS = 3000;
/** Kept of one stage. */
const MAX_EVENTS = 40;

/** order id → { id, stages, shopper, amount, link, receipt, isPaid, startMs } */
export const orders = new Map();
export const changes = new EventTarget();

function orderOf(id) {
  let order = orders.get(id);
  if (!order) {
    order = { id, stages: new Map(), shopper: null, amount: '', link: null, receipt: null, isPaid: false, startMs: Infinity };
    orders.set(id, order);
    if (orders.size > MAX_ORDERS) orders.delete(orders.keys().next().value);
  }
  return order;
}

function add(event) {
  const order = orderOf(event.order_id);
  const events = order.stages.get(event.stage) ?? [];
  events.push(event);
  if (events.length > MAX_EVENTS) events.shift();
  order.stages.set(event.stage, events);
  order.startMs = Math.min(order.startMs, event.at_ms);
  if (event.stage === 'order') {
    order.shopper = event.facts.shopper_id;
    order.amount = event.facts.amount;
    order.link = event.facts.link;
  }
  if (event.stage === 'receipt' && event.facts?.url) order.receipt = event.facts.url;
  if (event.stage === 'ledger' && event.facts?.status === 'paid') order.isPaid = true;
  if (event.stage === 'complete' && event.ok && event.facts?.payer_error === 0) order.isPaid = true;
  return order;
}

feed.addEventListener('trace', ({ detail }) => {
  const touched = new Set();
  for (const event of detail) if (event.order_id) touched.add(add(event));
  if (touched.size > 0) changes.dispatchEvent(new CustomEvent('orders', { detail: touched }));
});

/** The shopper's newest unpaid order. */
export function openOrderOf(shopper) {
  return [...orders.values()].reverse().find((order) => order.shopper === shopper && order.link && !order.isPaid);
}
