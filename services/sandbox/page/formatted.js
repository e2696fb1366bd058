// Telegram's entities: offsets count UTF-16 units, as JavaScript's strings do.

import { h } from './dom.js';

const TAGS = {
  bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', code: 'code', pre: 'pre',
  blockquote: 'blockquote', expandable_blockquote: 'blockquote',
};

export function formatted(text, entities = []) {
  const cuts = new Set([0, text.length]);
  for (const { offset, length } of entities) cuts.add(offset).add(offset + length);
  const edges = [...cuts].filter((edge) => edge <= text.length).sort((a, b) => a - b);
  const whole = document.createDocumentFragment();
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [from, to] = [edges[i], edges[i + 1]];
    const around = entities.filter(({ offset, length }) => offset <= from && offset + length >= to);
    let node = document.createTextNode(text.slice(from, to));
    for (const entity of around.reverse()) node = wrapped(entity, node, text);
    whole.append(node);
  }
  return whole;
}

function wrapped(entity, node, text) {
  const tag = TAGS[entity.type];
  if (tag) return h(tag, {}, node);
  if (entity.type === 'spoiler') {
    return h('span', { class: 'spoiler', tabindex: '0', role: 'button', onclick: (event) => event.currentTarget.classList.add('open') }, node);
  }
  const address = entity.type === 'text_link' ? entity.url : entity.type === 'url' ? text.slice(entity.offset, entity.offset + entity.length) : null;
  if (address && /^https?:/.test(address)) return h('a', { href: address, target: '_blank', rel: 'noopener' }, node);
  return h('span', { class: `entity ${entity.type}` }, node);
}
