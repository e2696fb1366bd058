// The path of one order, stage by stage.

import { at, eachFrame, h, say } from './dom.js';
import { chats, chosenChat } from './chats.js';
import { showEvent } from './details.js';
import { changes, orders, stagesOf } from './orders.js';
import { clock, duration, onLanguage, t } from './texts.js';

/** Orders in the list to choose from. */
const CHOICE = 50;
/** Events shown of a stage. */
const CHIPS = 3;

/** null: the newest order of the open chat. */
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
  const stages = stagesOf(order);
  const key = `${order?.id} ${stages.length} ${document.documentElement.lang}`;
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...stages.map(station));
  }
  let reached = 0;
  stages.forEach((stage, index) => {
    const events = order?.stages.get(stage) ?? [];
    if (events.length > 0) reached = index;
    fill(list.children[index], events, order);
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

function fill(item, events, order) {
  const last = events.at(-1);
  const key = events.map((event) => event.seq).join();
  if (item.dataset.key === key) return;
  item.dataset.key = key;
  item.classList.toggle('reached', events.length > 0);
  item.classList.toggle('bad', Boolean(last) && !last.ok);
  item.classList.toggle('healed', Boolean(last?.ok) && events.some((event) => !event.ok));
  say(item.querySelector('small'), last?.title ?? '');
  const shown = events.slice(-CHIPS).map((event) => chip(event, order));
  if (last?.stage === 'receipt' && order.receipt) {
    shown.unshift(h('a', { href: order.receipt, target: '_blank', rel: 'noopener' }, t('openReceipt')));
  }
  if (events.length > CHIPS) shown.unshift(h('span', { class: 'quiet' }, t('more', { n: events.length - CHIPS })));
  item.querySelector('.chips').replaceChildren(...shown);
}

function chip(event, order) {
  const after = `+${duration(event.at_ms - order.startMs)}`;
  const said = t(event.ok ? 'went' : 'failed');
  const label = `${t(`stage_${event.stage}`)}, ${said}, ${clock(event.at_ms)}, ${event.title}`;
  return h('button', { type: 'button', class: event.ok ? 'chip' : 'chip bad', title: event.title, 'aria-label': label, onclick: () => showEvent(event.seq) },
    h('span', { 'aria-hidden': 'true' }, event.ok ? '✓' : '✗'), ` ${after}`);
}

function drawChoice(order) {
  const select = at('order');
  const newest = [...orders.values()].slice(-CHOICE).reverse();
  const key = `${newest.map((one) => `${one.id}${one.isPaid}`).join()} ${document.documentElement.lang} ${order?.id}`;
  // An open list must not change.
  if (select.dataset.key === key || select.matches(':focus')) return;
  select.dataset.key = key;
  select.replaceChildren(
    h('option', { value: '' }, order && wanted === null ? `${t('follow')}: ${order.id}` : t('follow')),
    ...newest.map((one) => h('option', { value: one.id }, `${one.id}${one.isPaid ? ' ✓' : ''}`)));
  select.value = wanted ?? '';
}

/** For screen readers: only the end of the path, not every step. */
function announce(order) {
  if (!order) return say(at('path-news'), t('noOrder'));
  const isNotified = order.stages.get('telegram')?.some((event) => event.ok);
  return say(at('path-news'), order.isPaid ? `${order.id}: ${t('paid')}${isNotified ? ', Telegram ✓' : ''}` : '');
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
