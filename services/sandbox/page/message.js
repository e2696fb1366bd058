// One message of a chat.

import { ask, at, doing, h, openDialog, toast } from './dom.js';
import { formatted } from './formatted.js';
import { openCheckout, isCheckout } from './checkout.js';
import { shortClock, t } from './texts.js';

const ANSWER_WAIT_MS = 15_000;

export function messageElement(message, isChannel) {
  const mine = message.from === 'person' && !isChannel;
  const bubble = h('div', { class: 'bubble' }, ...bodyOf(message), h('span', { class: 'when' },
    message.edited_at_ms ? `${t('edited')} ` : '', shortClock(message.sent_at_ms)));
  const keyboard = message.reply_markup?.inline_keyboard;
  return h('article', { class: mine ? 'message mine' : 'message', 'data-id': String(message.message_id) },
    bubble, keyboard ? inlineKeyboard(message, keyboard, isChannel) : null);
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
    default:
      return text();
  }
}

function photo(message) {
  const { file_path: path, width, height, file_size: size, source_url: source } = message.photo;
  // The sandbox fetches nothing: a picture that the bot named by its address has no bytes here.
  if (!size) return h('p', { class: 'file' }, `${t('photo')}: ${source ?? ''}`);
  return h('img', {
    src: `/sandbox/telegram/files/${path}`, alt: message.text || t('photo'), width: String(width), height: String(height), loading: 'lazy',
  });
}

function inlineKeyboard(message, rows, isChannel) {
  const row = (buttons) => h('div', { class: 'row' }, ...buttons.map((button) => inlineButton(message, button, isChannel)));
  return h('div', { class: 'inline-keyboard', role: 'group' }, ...rows.map(row));
}

function inlineButton(message, button, isChannel) {
  const onclick = ({ currentTarget }) => {
    if (button.url) return openLink(button.url);
    // Only private chats have a person here who can tap.
    if (isChannel) return undefined;
    return doing(currentTarget, () => tap(message, { text: button.text, data: button.callback_data }));
  };
  return h('button', { type: 'button', onclick, class: button.url ? 'leads-out' : '' }, button.text);
}

export function openLink(address) {
  if (isCheckout(address)) openCheckout(address);
  else if (/^https?:/.test(address)) window.open(address, '_blank', 'noopener');
  else toast(address);
}

/** Taps a button of a message, and shows what the bot says to that. */
export async function tap(message, { text, data }) {
  const path = `telegram/shoppers/${message.chat_id}/tap`;
  const tapped = await ask('POST', path, { text, data, message_id: message.message_id });
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
