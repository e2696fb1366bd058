// The open chat: its messages, and what is sent from the page.

import { ask, at, doing, eachFrame, h, say } from './dom.js';
import { chats, chosenChat, hue, initial } from './chats.js';
import { openCheckout } from './checkout.js';
import { feed, state } from './feed.js';
import { messageElement, tap } from './message.js';
import { changes, openOrderOf } from './orders.js';
import { onLanguage, t } from './texts.js';

/** Messages in the document; earlier ones are fetched on demand. */
const SHOWN = 150;
const EARLIER = 50;

let open = null;
let seenRevision = 0;
/** message id → message */
let messages = new Map();
let limit = SHOWN;
let isFetching = false;
let again = false;

const log = () => at('messages');

async function fetchNews() {
  if (!open || isFetching) {
    again = true;
    return;
  }
  isFetching = true;
  const chat = open;
  try {
    const query = seenRevision ? `after_revision=${seenRevision}` : `last=${SHOWN}`;
    const news = await ask('GET', `telegram/chats/${chat.id}/messages?${query}`);
    if (chat.id === open?.id) take(news);
  } catch {
    // The feed shows that the sandbox is unreachable, and fetches again when it is back.
  }
  isFetching = false;
  if (again) {
    again = false;
    fetchNews();
  }
}

function take(news) {
  const first = messages.size > 0 ? Math.min(...messages.keys()) : 0;
  for (const message of news) {
    seenRevision = Math.max(seenRevision, message.revision);
    if (message.message_id < first) continue;
    place(message);
  }
  trim();
  drawFoot();
}

/** Inserts, replaces or removes a message. */
function place(message) {
  const list = log();
  const stuck = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const there = list.querySelector(`[data-id="${message.message_id}"]`);
  const before = messages.get(message.message_id);
  messages.set(message.message_id, message);
  if (message.deleted_at_ms) {
    messages.delete(message.message_id);
    if (there) vanish(there);
  } else if (there) {
    if (before?.revision === message.revision) return;
    const changed = messageElement(message, open.is_channel);
    changed.classList.add('changed');
    there.replaceWith(changed);
  } else {
    const element = messageElement(message, open.is_channel);
    const next = [...list.querySelectorAll('[data-id]')].reverse().find((other) => Number(other.dataset.id) < message.message_id);
    if (next) next.after(element);
    else list.prepend(element);
  }
  if (stuck) list.scrollTop = list.scrollHeight;
}

function vanish(element) {
  element.removeAttribute('data-id');
  element.classList.add('gone');
  setTimeout(() => element.remove(), 400);
}

function trim() {
  const ids = [...messages.keys()].sort((a, b) => a - b);
  for (const id of ids.slice(0, Math.max(0, ids.length - limit))) {
    messages.delete(id);
    log().querySelector(`[data-id="${id}"]`)?.remove();
  }
  const oldest = Math.min(...messages.keys());
  const button = log().querySelector('.earlier');
  if (messages.size > 0 && oldest > 1) {
    if (!button) log().prepend(h('button', { type: 'button', class: 'earlier', onclick: showEarlier }, t('earlier')));
  } else button?.remove();
}

function showEarlier({ currentTarget }) {
  const chat = open;
  const oldest = Math.min(...messages.keys());
  doing(currentTarget, async () => {
    const earlier = await ask('GET', `telegram/chats/${chat.id}/messages?before=${oldest}&last=${EARLIER}`);
    if (chat.id !== open?.id) return;
    limit += earlier.length;
    currentTarget.remove();
    const height = log().scrollHeight;
    for (const message of earlier.reverse()) if (!message.deleted_at_ms) place(message);
    log().scrollTop += log().scrollHeight - height;
    if (earlier.length === EARLIER) trim();
  });
}

function openChat() {
  const chat = chosenChat();
  const isAnother = chat?.id !== open?.id;
  open = chat;
  if (!chat) return;
  at('chat-avatar').className = `avatar hue-${hue(chat)}`;
  say(at('chat-avatar'), initial(chat));
  say(at('chat-title'), chat.title);
  say(at('chat-about'), t(chat.is_channel ? 'channelAbout' : 'shopperAbout', { id: chat.id }));
  at('block').hidden = chat.is_channel;
  say(at('block'), t(chat.blocked ? 'unblock' : 'block'));
  if (isAnother) {
    [messages, seenRevision, limit] = [new Map(), 0, SHOWN];
    log().replaceChildren();
    drawFoot();
    fetchNews();
  }
}

/** Below the messages: START, the order to pay, the reply keyboard. */
const drawFoot = eachFrame(() => {
  const start = log().querySelector('.start');
  if (open && messages.size === 0 && seenRevision === 0 && !open.is_channel && !open.last_message_id) {
    if (!start) log().append(h('button', { type: 'button', class: 'start', onclick: () => send('/start') }, t('startBot')));
  } else start?.remove();
  at('photo').disabled = open?.is_channel ?? true;
  drawPayBar();
  drawReplyKeyboard();
});

function drawPayBar() {
  const bar = at('pay-bar');
  const order = open && !open.is_channel ? openOrderOf(open.id) : null;
  const canOrder = Boolean(state.shown.can_order) && open && !open.is_channel;
  bar.hidden = !order && !canOrder;
  const key = `${open?.id} ${order?.id} ${canOrder} ${document.documentElement.lang}`;
  if (bar.dataset.key === key) return;
  bar.dataset.key = key;
  const hadFocus = bar.contains(document.activeElement);
  const parts = [];
  if (order) {
    parts.push(h('span', {}, t('orderOf', { id: order.id, amount: order.amount })),
      h('button', { type: 'button', class: 'main pay', id: 'pay', onclick: () => openCheckout(order.link) }, t('payWith')));
  }
  if (canOrder) {
    parts.push(h('button', { type: 'button', class: order ? 'plain' : 'main', id: 'new-order', onclick: newOrder }, t('newOrder')));
  }
  bar.replaceChildren(...parts);
  if (hadFocus) bar.querySelector('button')?.focus();
}

function newOrder({ currentTarget }) {
  doing(currentTarget, () => ask('POST', 'orders', { shopper_id: open.id }));
}

function drawReplyKeyboard() {
  const box = at('reply-keyboard');
  const last = [...messages.values()].sort((a, b) => b.message_id - a.message_id)
    .find((message) => message.from === 'bot' && message.reply_markup && !message.reply_markup.inline_keyboard);
  const rows = last?.reply_markup.keyboard;
  box.hidden = !rows;
  const key = rows ? `${open.id} ${last.message_id} ${last.revision}` : '';
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const button = (wanted) => {
    const { text } = typeof wanted === 'string' ? { text: wanted } : wanted;
    return h('button', { type: 'button', onclick: ({ currentTarget }) => doing(currentTarget, () => tap(last, { text })) }, text);
  };
  box.replaceChildren(...(rows ?? []).map((row) => h('div', { class: 'row' }, ...row.map(button))));
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result.split(',')[1]));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

function send(text) {
  if (!open || !text.trim()) return undefined;
  const path = open.is_channel ? `telegram/channels/${open.id}/post` : `telegram/shoppers/${open.id}/text`;
  return doing(null, () => ask('POST', path, { text }));
}

export function readyChat() {
  chats.addEventListener('chosen', openChat);
  chats.addEventListener('changed', openChat);
  feed.addEventListener('revision', fetchNews);
  feed.addEventListener('dashboard', drawFoot);
  changes.addEventListener('orders', drawFoot);
  onLanguage(() => {
    open = null;
    openChat();
  });
  at('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    const input = at('text');
    const text = input.value;
    input.value = '';
    send(text);
  });
  at('photo').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    target.value = '';
    if (!file || !open) return;
    const { id } = open;
    doing(null, async () => ask('POST', `telegram/shoppers/${id}/photo`, { content_base64: await base64(file) }));
  });
  at('block').addEventListener('click', ({ currentTarget }) => {
    const { id, blocked } = open;
    doing(currentTarget, () => ask('POST', `telegram/shoppers/${id}/${blocked ? 'unblock' : 'block'}`));
  });
}
