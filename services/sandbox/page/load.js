// The load: its button, two progress bars and plots.

import { ask, at, doing, eachFrame, h, say } from './dom.js';
import { feed, state } from './feed.js';
import { Samples, drawPlot } from './plot.js';
import { duration, onLanguage, t } from './texts.js';

const samples = new Samples();
let purchases = 1000;

function build() {
  const bar = (id, word) => h('div', { class: 'bar' }, h('label', { for: id }, t(word)), h('progress', { id, max: '1', value: '0' }), h('output', { id: `${id}-says` }));
  const number = h('input', { type: 'number', id: 'purchases', min: '1', max: '10000', value: String(purchases), 'aria-label': t('howMany') });
  const run = h('button', { type: 'button', class: 'main', id: 'run', onclick: start }, t('run', { n: purchases }));
  number.addEventListener('input', () => {
    purchases = Math.min(10_000, Math.max(1, Math.round(Number(number.value)) || 1));
    run.textContent = t('run', { n: purchases });
  });
  at('load').replaceChildren(
    h('div', { class: 'buttons' }, run, number,
      h('button', { type: 'button', class: 'plain', id: 'stop', hidden: true, onclick: ({ currentTarget }) => doing(currentTarget, () => ask('DELETE', 'load')) }, t('stop'))),
    bar('paid', 'payments'), bar('notified', 'notified'), h('p', { id: 'load-says', class: 'quiet', role: 'status' }));
  at('plots').replaceChildren(...['rate', 'answer', 'notifying'].map((id) => h('figure', {}, h('figcaption', {}, h('b'), h('span', { class: 'legend' })), h('canvas', { id: `plot-${id}`, role: 'img' }))));
  draw();
}

function start({ currentTarget }) {
  doing(currentTarget, async () => {
    await ask('POST', 'load', { purchases });
    samples.begin(Date.now());
    draw();
    at('load-card').scrollIntoView({ block: 'start' });
  });
}

const draw = eachFrame(() => {
  at('load-card').hidden = !state.shown.can_order;
  const load = state.shown.load;
  if (!load || !at('run')) return;
  at('stop').hidden = !load.is_running;
  at('run').disabled = load.is_running;
  progress('paid', load.paid + load.failed, load.wanted);
  progress('notified', load.notified, load.wanted);
  const failed = load.failed ? `, ${t('loadFailed', { n: load.failed })}` : '';
  // Empty while it runs: a line that changes all the time would be announced all the time.
  say(at('load-says'), load.is_running ? '' : t('loadDone', { paid: load.paid, notified: load.notified, time: duration(load.elapsed_ms) }) + failed);
  drawPlots();
});

function progress(id, done, wanted) {
  const bar = at(id);
  bar.max = wanted;
  bar.value = done;
  say(at(`${id}-says`), t('ofWanted', { done, wanted }));
}

function drawPlots() {
  at('plots').hidden = !samples.hasAny();
  if (!samples.hasAny()) return;
  const second = [t('half'), t('most')];
  drawPlot(at('plot-rate'), t('perSecond'), [t('plotPayments'), t('plotMessages')], samples.rates());
  drawPlot(at('plot-answer'), t('callbackTime'), second, samples.answers());
  drawPlot(at('plot-notifying'), t('notifyTime'), second, samples.notifications());
}

export function readyLoad() {
  build();
  feed.addEventListener('dashboard', () => {
    const load = state.shown.load;
    if (load?.is_running && load.started_at_ms > samples.startMs) samples.begin(load.started_at_ms);
    draw();
  });
  feed.addEventListener('trace', ({ detail }) => {
    samples.add(detail);
    if (samples.hasAny()) draw();
  });
  new ResizeObserver(draw).observe(at('plots'));
  onLanguage(build);
}

export const redrawLoad = draw;
