// What can be stopped and what can go wrong, and how full the queues get by it.

import { ask, at, doing, h, say, toast } from './dom.js';
import { feed, state } from './feed.js';
import { duration, onLanguage, t } from './texts.js';

const SWITCHES = ['broker', 'store', 'bot', 'telegram'];
const TWISTS = ['lost_callback', 'lost_answer', 'twice', 'late', 'out_of_order', 'wrong_amount', 'wrong_signature'];
const LATE_MS = 5000;
const QUEUES = ['projector.payments', 'bot.notifications'];

let step = 'complete';

function drawSwitches() {
  const known = SWITCHES.filter((name) => name in state.switches);
  const box = at('switches');
  const key = `${known} ${document.documentElement.lang}`;
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...known.map((name) => h('button', { type: 'button', role: 'switch', 'data-switch': name, onclick: turn },
      h('span', { class: 'slider', 'aria-hidden': 'true' }), h('span', {}, t(`switch_${name}`)), h('small', { 'aria-hidden': 'true' }))));
  }
  for (const button of box.children) {
    const isOn = state.switches[button.dataset.switch];
    button.setAttribute('aria-checked', String(isOn));
    say(button.querySelector('small'), t(isOn ? 'on' : 'off'));
  }
}

function turn({ currentTarget }) {
  const name = currentTarget.dataset.switch;
  const on = currentTarget.getAttribute('aria-checked') !== 'true';
  doing(currentTarget, async () => {
    await ask('POST', `switches/${name}`, { on });
    toast(t(on ? 'startedOne' : 'stoppedOne', { name: t(`switch_${name}`) }), on ? '' : 'bad');
  });
}

function drawTwists() {
  const radio = (value, word) => h('label', {},
    h('input', { type: 'radio', name: 'step', value, checked: step === value, onchange: () => { step = value; } }), word);
  const button = (twist) => h('button', { type: 'button', 'data-twist': twist, onclick: arm }, t(twist));
  at('twists').replaceChildren(
    h('fieldset', { class: 'steps' }, h('legend', { class: 'unseen' }, t('step')), radio('prepare', 'Prepare'), radio('complete', 'Complete')),
    h('div', { class: 'buttons' }, ...TWISTS.map(button)));
  const fault = (word, effect, times = 1) => h('button', {
    type: 'button', 'data-fault': effect.effect,
    onclick: ({ currentTarget }) => doing(currentTarget, async () => {
      await ask('POST', 'telegram/faults', { method: 'sendMessage', times, ...effect });
      showFaults();
    }),
  }, t(word));
  at('telegram-faults').replaceChildren(
    fault('tooMany', { effect: 'too_many_requests', retry_after_s: 3 }, 3),
    fault('serverError', { effect: 'server_error' }),
    fault('lostSend', { effect: 'lost_answer' }),
    h('button', { type: 'button', 'aria-pressed': 'false', id: 'limits', onclick: limits }, t('limits')),
    h('button', { type: 'button', class: 'plain', id: 'clear-faults', onclick: clear }, t('clear')));
}

function arm({ currentTarget }) {
  const { twist } = currentTarget.dataset;
  // A Complete before its Prepare is sent along with that Prepare.
  const when = twist === 'out_of_order' ? 'prepare' : step;
  const more = twist === 'late' ? { delay_ms: LATE_MS } : {};
  doing(currentTarget, () => ask('POST', 'click/twists', { step: when, twist, ...more }));
}

function limits({ currentTarget }) {
  doing(currentTarget, () => ask('POST', 'telegram/limits', { enforce: !state.shown.limits }));
}

function clear({ currentTarget }) {
  doing(currentTarget, async () => {
    await ask('DELETE', 'telegram/faults');
    await ask('DELETE', 'click/twists');
    showFaults();
  });
}

let faults = [];

async function showFaults() {
  try {
    faults = await ask('GET', 'telegram/faults');
  } catch {
    return; // The feed says that the sandbox is away.
  }
  drawArmed();
}

function drawArmed() {
  const twists = (state.shown.twists ?? []).map(({ step: of, twist, times }) => `${of}: ${t(twist)}${times > 1 ? ` × ${times}` : ''}`);
  const waiting = faults.map(({ effect, times }) => `Telegram: ${effect.replaceAll('_', ' ')} × ${times}`);
  const list = [...twists, ...waiting].join(', ');
  say(at('armed'), list ? t('armed', { list }) : t('noneArmed'));
  at('armed').classList.toggle('waits', Boolean(list));
}

function drawGauges() {
  const { outbox } = state.shown;
  const entries = [];
  if (outbox) entries.push([t('outboxGauge'), outbox.depth, outbox.depth ? [t('age', { time: duration(outbox.age_ms) })] : []]);
  for (const name of QUEUES) {
    const depth = state.shown[name];
    if (!depth) continue;
    const more = [];
    if (depth.retrying) more.push(t('retrying', { n: depth.retrying }));
    if (depth.parked) more.push(t('parked', { n: depth.parked }));
    entries.push([name, depth.ready, more]);
  }
  const rows = entries.map(([name, depth, more]) => h('div', { class: depth || more.length ? 'full' : '' },
    h('dt', {}, name.replace('.', '.\u200b')), h('dd', {}, h('b', {}, String(depth)), ` ${more.join(', ')}`)));
  at('gauges').replaceChildren(...(rows.length ? rows : [h('div', {}, h('dt', {}, t('noGauges')), h('dd'))]));
}

function draw() {
  drawSwitches();
  drawGauges();
  drawArmed();
  at('limits').setAttribute('aria-pressed', String(Boolean(state.shown.limits)));
}

export function readyKnobs() {
  drawTwists();
  feed.addEventListener('board', draw);
  // A fault is used up by a send, which is a hop.
  feed.addEventListener('hops', () => { if (faults.length > 0) showFaults(); });
  onLanguage(() => {
    drawTwists();
    draw();
  });
  showFaults();
}
