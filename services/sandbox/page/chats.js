// The list of chats: shoppers, the staff channel, and the load's shoppers in a group of their own.

import { ask, at, doing, h, openDialog, say } from './dom.js';
import { feed } from './feed.js';
import { onLanguage, t } from './texts.js';

/** Ids of the load's shoppers begin here. */
const FIRST_LOAD_SHOPPER = 8_000_001;
const REFRESH_MS = 400;

/** Events: chosen. */
export const chats = new EventTarget();
let known = [];
let chosen = null;
/** The person whose chat was open last, who also taps in channels and follows links to the bot. */
let person = null;
/** chat id → the newest message shown */
const seen = new Map();
let timer = null;

export const chosenChat = () => known.find((chat) => chat.id === chosen) ?? null;

export const lastPerson = () => person;

export function choose(id) {
  chosen = id;
  if (chosenChat() && !chosenChat().is_channel) person = id;
  draw();
  document.querySelector('.people [aria-current="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  chats.dispatchEvent(new Event('chosen'));
}

async function refresh() {
  timer = null;
  try {
    known = await ask('GET', 'telegram/chats');
  } catch {
    return; // The feed shows that the sandbox is unreachable.
  }
  known.sort((a, b) => Number(a.is_channel) - Number(b.is_channel) || a.id - b.id);
  if (!chosenChat() && known.length > 0) choose((known.find((chat) => !chat.is_channel) ?? known[0]).id);
  else {
    draw();
    chats.dispatchEvent(new Event('changed'));
  }
}

function draw() {
  const isOfLoad = (chat) => chat.id >= FIRST_LOAD_SHOPPER;
  const current = chosenChat();
  if (current) seen.set(current.id, current.last_message_id);
  update(at('chat-list'), known.filter((chat) => !isOfLoad(chat)));
  const load = known.filter(isOfLoad);
  const group = at('load-shoppers');
  group.hidden = load.length === 0;
  say(group.querySelector('summary'), t('loadShoppers', { n: load.length }));
  update(group.querySelector('ul'), group.open ? load : []);
}

/** Keeps existing buttons, so that the focus stays. */
function update(list, wanted) {
  const items = new Map([...list.children].map((item) => [Number(item.dataset.id), item]));
  for (const chat of wanted) {
    const item = items.get(chat.id) ?? newItem(chat);
    items.delete(chat.id);
    if (!item.isConnected) list.append(item);
    const button = item.firstElementChild;
    button.setAttribute('aria-current', String(chat.id === chosen));
    say(button.querySelector('b'), chat.title);
    say(button.querySelector('small'), chat.last_text || '…');
    const unread = chat.last_message_id - (seen.get(chat.id) ?? 0);
    const badge = button.querySelector('.badge');
    badge.hidden = unread <= 0;
    say(badge, unread > 99 ? '99+' : String(unread));
  }
  for (const gone of items.values()) gone.remove();
}

function newItem(chat) {
  return h('li', { 'data-id': String(chat.id) },
    h('button', { type: 'button', onclick: () => choose(chat.id) },
      h('span', { class: `avatar hue-${hue(chat)}`, 'aria-hidden': 'true' }, initial(chat)),
      h('span', { class: 'lines' }, h('b'), h('small')),
      h('span', { class: 'badge' })));
}

export const initial = (chat) => (chat.is_channel ? '#' : [...chat.title][0] ?? '?');
export const hue = (chat) => (chat.is_channel ? 5 : chat.id % 5);

export function readyChats() {
  feed.addEventListener('revision', () => { timer ??= setTimeout(refresh, known.length ? REFRESH_MS : 0); });
  onLanguage(draw);
  at('load-shoppers').addEventListener('toggle', draw);
  const dialog = at('new-shopper');
  at('add-shopper').addEventListener('click', () => openDialog(dialog));
  dialog.querySelector('form').addEventListener('submit', (event) => {
    const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value.trim()));
    event.target.reset();
    doing(at('add-shopper'), async () => {
      const shopper = await ask('POST', 'telegram/shoppers', given);
      await refresh();
      choose(shopper.id);
    });
  });
}
