// One message of a chat.

import { ask, at, doing, h, openDialog, toast } from './dom.js';
import { formatted } from './formatted.js';
import { choose, lastPerson } from './chats.js';
import { openCheckout, isCheckout } from './checkout.js';
import { shortClock, t } from './texts.js';

const ANSWER_WAIT_MS = 15_000;

export function messageElement(message, isChannel) {
  const mine = message.from === 'person' && !isChannel;
  const bubble = h('div', { class: 'bubble' }, ...bodyOf(message), h('span', { class: 'when' },
    message.edited_at_ms ? `${t('edited')} ` : '', shortClock(message.sent_at_ms)));
  const keyboard = message.reply_markup?.inline_keyboard;
  return h('article', { class: mine ? 'message mine' : 'message', 'data-id': String(message.message_id) },
    bubble, keyboard ? inlineKeyboard(message, keyboard) : null);
}

function bodyOf(message) {
  const text = () => (message.text ? [h('div', { class: 'text' }, formatted(message.text, message.entities))] : []);
  switch (message.kind) {
    case 'photo':
      return [photo(message), ...text()];
    case 'document':
      return [h('p', { class: 'file' }, `${message.document.file_name || t('document')} · ${message.document.file_size} B`), ...text()];
    case 'location':
      return [h('p', { class: 'file' }, `${t('location')}: ${message.latitude.toFixed(4)}, ${message.longitude.toFixed(4)}`)];
    case 'contact':
      return [h('p', { class: 'file' }, `${message.contact.first_name}`, h('br'), message.contact.phone_number)];
    case 'invoice':
      return [invoice(message)];
    case 'successful_payment':
      return [h('p', { class: 'file' }, `${t('invoicePaid')} ${sum(message.successful_payment)}`)];
    default:
      return text();
  }
}

const sum = ({ total_amount: tiyin, currency }) => `${(tiyin / 100).toLocaleString('uz')} ${currency}`;

function invoice(message) {
  const { title, description } = message.invoice;
  const pay = ({ currentTarget }) => doing(currentTarget, () => payInvoice(message));
  return h('div', { class: 'text' }, h('strong', {}, title), h('p', {}, description),
    h('button', { type: 'button', onclick: pay }, `${t('invoicePay')} ${sum(message.invoice)}`));
}

/** Pays an invoice, or shows why the bot does not let it be paid. */
async function payInvoice(message) {
  const wanted = { message_id: message.message_id };
  const checkout = await ask('POST', `telegram/shoppers/${message.chat_id}/pay_invoice`, wanted);
  if (checkout.answer?.ok) return;
  at('alert-text').textContent = checkout.answer?.error_message ?? '';
  openDialog(at('alert'));
}

function photo(message) {
  const { file_path: path, width, height, file_size: size, source_url: source } = message.photo;
  // The sandbox does not fetch a picture that the bot sent as an address.
  if (!size) return h('p', { class: 'file' }, `${t('photo')}: ${source ?? ''}`);
  return h('img', {
    src: `/sandbox/telegram/files/${path}`, alt: message.text || t('photo'), width: String(width), height: String(height), loading: 'lazy',
  });
}

function inlineKeyboard(message, rows) {
  const row = (buttons) => h('div', { class: 'row' }, ...buttons.map((button) => inlineButton(message, button)));
  return h('div', { class: 'inline-keyboard', role: 'group' }, ...rows.map(row));
}

function inlineButton(message, button) {
  const onclick = ({ currentTarget }) => {
    if (button.url) return openLink(button.url);
    return doing(currentTarget, () => tap(message, { text: button.text, data: button.callback_data }));
  };
  return h('button', { type: 'button', onclick, class: button.url ? 'leads-out' : '' }, button.text);
}

/** Links to the bot, t.me/bot?start=payload: the app sends /start with the payload. */
const START_LINK = /^https:\/\/t\.me\/\w+\?start=([\w-]+)$/;

export function openLink(address) {
  const [, payload] = START_LINK.exec(address) ?? [];
  if (isCheckout(address)) openCheckout(address);
  else if (payload && lastPerson()) start(payload);
  else if (/^https?:/.test(address)) window.open(address, '_blank', 'noopener');
  else toast(address);
}

async function start(payload) {
  await ask('POST', `telegram/shoppers/${lastPerson()}/text`, { text: `/start ${payload}` });
  choose(lastPerson());
}

/** Taps a button of a message, and shows the bot's answer. */
export async function tap(message, { text, data }) {
  const wanted = { text, data, message_id: message.message_id };
  const tapped = message.chat_id > 0
    ? await ask('POST', `telegram/shoppers/${message.chat_id}/tap`, wanted)
    : await ask('POST', `telegram/channels/${message.chat_id}/tap`, { ...wanted, shopper_id: lastPerson() });
  if (tapped.tapped === 'link') openLink(tapped.url);
  if (tapped.tapped !== 'callback') return;
  const answer = await ask('GET', `telegram/taps/${tapped.callback_query_id}/answer?timeout_ms=${ANSWER_WAIT_MS}`);
  if (answer.url) openLink(answer.url);
  if (!answer.text) return;
  if (answer.show_alert) {
    at('alert-text').textContent = answer.text;
    openDialog(at('alert'));
  } else toast(answer.text);
}
