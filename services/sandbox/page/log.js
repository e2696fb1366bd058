// All trace events.

import { at, eachFrame, h, say } from './dom.js';
import { showEvent, stageName } from './details.js';
import { feed } from './feed.js';
import { shownOrder } from './path.js';
import { WindowedList } from './windowed.js';
import { clock, onLanguage, t } from './texts.js';

/** The sandbox keeps as many. */
const MAX_EVENTS = 20_000;

let events = [];
let list = null;

const draw = eachFrame(() => {
  const order = at('only-order').checked ? shownOrder() : null;
  list.set(order ? events.filter((event) => event.order_id === order.id) : events);
  say(at('log-count'), t('events', { n: events.length }));
});

const row = (event) => [
  h('span', { class: 'quiet' }, clock(event.at_ms)),
  h('span', {}, event.order_id ?? ''),
  h('b', {}, stageName(event.stage)),
  h('span', { class: 'title' }, `${event.ok ? '' : '✗ '}${event.title}`),
];

export const drawLog = draw;

export function readyLog() {
  list = new WindowedList(at('log'), { label: t('log'), id: 'event', row, choose: (event) => showEvent(event.seq) });
  feed.addEventListener('trace', ({ detail }) => {
    events = events.concat(detail).slice(-MAX_EVENTS);
    draw();
  });
  at('only-order').addEventListener('change', draw);
  onLanguage(draw);
}
