// What the hops say about each order.

import { feed } from './feed.js';

export const STAGES = [
  'order', 'prepare', 'complete', 'ledger', 'outbox', 'broker', 'projector', 'store', 'bot', 'telegram',
];
/** Orders beyond it are forgotten, the oldest first. */
const MAX_ORDERS = 3000;
/** Hops of one stage that are kept for the path. */
const MAX_HOPS = 40;

/** order id → { id, stages, shopper, amount, link, isPaid, startMs } */
export const orders = new Map();
export const changes = new EventTarget();

function orderOf(id) {
  let order = orders.get(id);
  if (!order) {
    order = { id, stages: new Map(), shopper: null, amount: '', link: null, isPaid: false, startMs: Infinity };
    orders.set(id, order);
    if (orders.size > MAX_ORDERS) orders.delete(orders.keys().next().value);
  }
  return order;
}

function add(hop) {
  const order = orderOf(hop.order_id);
  const hops = order.stages.get(hop.stage) ?? [];
  hops.push(hop);
  if (hops.length > MAX_HOPS) hops.shift();
  order.stages.set(hop.stage, hops);
  order.startMs = Math.min(order.startMs, hop.at_ms);
  if (hop.stage === 'order') {
    order.shopper = hop.facts.shopper_id;
    order.amount = hop.facts.amount;
    order.link = hop.facts.link;
  }
  if (hop.stage === 'ledger' && hop.facts?.status === 'paid') order.isPaid = true;
  if (hop.stage === 'complete' && hop.ok && hop.facts?.payer_error === 0) order.isPaid = true;
  return order;
}

feed.addEventListener('hops', ({ detail }) => {
  const touched = new Set();
  for (const hop of detail) if (hop.order_id) touched.add(add(hop));
  if (touched.size > 0) changes.dispatchEvent(new CustomEvent('orders', { detail: touched }));
});

/** The newest order of a shopper that can still be paid. */
export function openOrderOf(shopper) {
  return [...orders.values()].reverse().find((order) => order.shopper === shopper && order.link && !order.isPaid);
}
