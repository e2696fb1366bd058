// The way of one order, station by station, as it happens.

import { at, eachFrame, h, say } from './dom.js';
import { chats, chosenChat } from './chats.js';
import { showHop } from './details.js';
import { STAGES, changes, orders } from './orders.js';
import { clock, duration, onLanguage, t } from './texts.js';

/** Orders in the list to choose from. */
const CHOICE = 50;
/** Hops of a station that are shown. */
const CHIPS = 3;

/** null: whatever is newest in the open chat. */
let wanted = null;

export function shownOrder() {
  if (wanted !== null) return orders.get(wanted) ?? null;
  const all = [...orders.values()].reverse();
  const chat = chosenChat();
  const isHere = (order) => !chat || chat.is_channel || order.shopper === null || order.shopper === chat.id;
  return all.find((order) => isHere(order) && order.stages.size > 1) ?? all.find(isHere) ?? null;
}

const draw = eachFrame(() => {
  const order = shownOrder();
  drawChoice(order);
  const list = at('path');
  const key = `${order?.id} ${document.documentElement.lang}`;
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...STAGES.map(station));
  }
  let reached = 0;
  STAGES.forEach((stage, index) => {
    const hops = order?.stages.get(stage) ?? [];
    if (hops.length > 0) reached = index;
    fill(list.children[index], hops, order);
  });
  list.style.setProperty('--reached', String(reached));
  list.classList.toggle('empty', !order);
  announce(order);
});

function station(stage) {
  return h('li', { class: 'station', 'data-stage': stage },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('div', { class: 'station-name' }, h('b', {}, t(`stage_${stage}`)), h('small')),
    h('div', { class: 'chips' }));
}

function fill(item, hops, order) {
  const last = hops.at(-1);
  const key = hops.map((hop) => hop.seq).join();
  if (item.dataset.key === key) return;
  item.dataset.key = key;
  item.classList.toggle('reached', hops.length > 0);
  item.classList.toggle('bad', Boolean(last) && !last.ok);
  item.classList.toggle('healed', Boolean(last?.ok) && hops.some((hop) => !hop.ok));
  say(item.querySelector('small'), last?.title ?? '');
  const shown = hops.slice(-CHIPS).map((hop) => chip(hop, order));
  if (hops.length > CHIPS) shown.unshift(h('span', { class: 'quiet' }, t('more', { n: hops.length - CHIPS })));
  item.querySelector('.chips').replaceChildren(...shown);
}

function chip(hop, order) {
  const after = `+${duration(hop.at_ms - order.startMs)}`;
  const said = t(hop.ok ? 'went' : 'failed');
  const label = `${t(`stage_${hop.stage}`)}, ${said}, ${clock(hop.at_ms)}, ${hop.title}`;
  return h('button', { type: 'button', class: hop.ok ? 'chip' : 'chip bad', title: hop.title, 'aria-label': label, onclick: () => showHop(hop.seq) },
    h('span', { 'aria-hidden': 'true' }, hop.ok ? '✓' : '✗'), ` ${after}`);
}

function drawChoice(order) {
  const select = at('order');
  const newest = [...orders.values()].slice(-CHOICE).reverse();
  const key = `${newest.map((one) => `${one.id}${one.isPaid}`).join()} ${document.documentElement.lang} ${order?.id}`;
  // A list that is open must not change under the hand.
  if (select.dataset.key === key || select.matches(':focus')) return;
  select.dataset.key = key;
  select.replaceChildren(
    h('option', { value: '' }, order && wanted === null ? `${t('follow')}: ${order.id}` : t('follow')),
    ...newest.map((one) => h('option', { value: one.id }, `${one.id}${one.isPaid ? ' ✓' : ''}`)));
  select.value = wanted ?? '';
}

/** For those who do not see it: only the ends of the way, not every step. */
function announce(order) {
  if (!order) return say(at('path-news'), t('noOrder'));
  const told = order.stages.get('telegram')?.some((hop) => hop.ok);
  return say(at('path-news'), order.isPaid ? `${order.id}: ${t('paid')}${told ? ', Telegram ✓' : ''}` : '');
}

export function readyPath(onOrder) {
  changes.addEventListener('orders', draw);
  chats.addEventListener('chosen', draw);
  onLanguage(draw);
  at('order').addEventListener('change', ({ target }) => {
    wanted = target.value || null;
    target.blur();
    draw();
    onOrder();
  });
  draw();
}
