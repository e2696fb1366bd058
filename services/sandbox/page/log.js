// Every hop, of every order.

import { at, eachFrame, h, say } from './dom.js';
import { showHop, stageName } from './details.js';
import { feed } from './feed.js';
import { shownOrder } from './path.js';
import { WindowedList } from './windowed.js';
import { clock, onLanguage, t } from './texts.js';

/** As many as the sandbox keeps. */
const MAX_HOPS = 20_000;

let hops = [];
let list = null;

const draw = eachFrame(() => {
  const order = at('only-order').checked ? shownOrder() : null;
  list.set(order ? hops.filter((hop) => hop.order_id === order.id) : hops);
  say(at('log-count'), t('events', { n: hops.length }));
});

const row = (hop) => [
  h('span', { class: 'quiet' }, clock(hop.at_ms)),
  h('span', {}, hop.order_id ?? ''),
  h('b', {}, stageName(hop.stage)),
  h('span', { class: 'title' }, `${hop.ok ? '' : '✗ '}${hop.title}`),
];

export const drawLog = draw;

export function readyLog() {
  list = new WindowedList(at('log'), { label: t('log'), id: 'hop', row, choose: (hop) => showHop(hop.seq) });
  feed.addEventListener('hops', ({ detail }) => {
    hops = hops.concat(detail).slice(-MAX_HOPS);
    draw();
  });
  at('only-order').addEventListener('change', draw);
  onLanguage(draw);
}
