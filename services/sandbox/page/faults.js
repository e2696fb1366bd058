// Switches, faults and queue depths.

import { ask, at, doing, h, say, toast } from './dom.js';
import { feed, state } from './feed.js';
import { duration, onLanguage, t } from './texts.js';

const SWITCHES = ['broker', 'store', 'bot', 'telegram'];
const CLICK_FAULTS = ['lost_callback', 'lost_answer', 'twice', 'late', 'out_of_order', 'wrong_amount', 'wrong_signature'];
/** Kind of call → its name. */
const API_CALLS = { status: 'apiStatus', reversal: 'apiReversal', fiscal_submit: 'apiReceipt' };
const API_FAULTS = ['lost_request', 'lost_answer', 'empty_body', 'server_error', 'wrong_keys', 'not_found', 'refused', 'outside_month', 'in_work'];
const LATE_MS = 5000;
const QUEUES = ['projector.payments', 'bot.notifications'];

let step = 'complete';
let apiCall = 'reversal';

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

function drawFaultButtons() {
  const radio = (value, word) => h('label', {},
    h('input', { type: 'radio', name: 'step', value, checked: step === value, onchange: () => { step = value; } }), word);
  const button = (effect) => h('button', { type: 'button', 'data-click-fault': effect, onclick: inject }, t(effect));
  at('click-faults').replaceChildren(
    h('fieldset', { class: 'steps' }, h('legend', { class: 'unseen' }, t('step')), radio('prepare', 'Prepare'), radio('complete', 'Complete')),
    h('div', { class: 'buttons' }, ...CLICK_FAULTS.map(button)));
  drawApiFaults();
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

function drawApiFaults() {
  const radio = (value, word) => h('label', {},
    h('input', { type: 'radio', name: 'api-call', value, checked: apiCall === value, onchange: () => { apiCall = value; } }), word);
  const button = (effect) => h('button', {
    type: 'button', 'data-api-fault': effect,
    // Only an answer about a status can say that a payment is in work.
    onclick: ({ currentTarget }) => doing(currentTarget, () => ask('POST', 'click/api_faults', { call: effect === 'in_work' ? 'status' : apiCall, effect })),
  }, t(effect));
  at('api-faults').replaceChildren(
    h('fieldset', { class: 'steps' }, h('legend', { class: 'unseen' }, t('apiCall')), ...Object.entries(API_CALLS).map(([call, name]) => radio(call, t(name)))),
    h('div', { class: 'buttons' }, ...API_FAULTS.map(button)));
}

function inject({ currentTarget }) {
  const { clickFault: effect } = currentTarget.dataset;
  // The early Complete is sent together with its Prepare.
  const when = effect === 'out_of_order' ? 'prepare' : step;
  const more = effect === 'late' ? { delay_ms: LATE_MS } : {};
  doing(currentTarget, () => ask('POST', 'click/faults', { step: when, effect, ...more }));
}

function limits({ currentTarget }) {
  doing(currentTarget, () => ask('POST', 'telegram/limits', { enforce: !state.shown.limits }));
}

function clear({ currentTarget }) {
  doing(currentTarget, async () => {
    await ask('DELETE', 'telegram/faults');
    await ask('DELETE', 'click/faults');
    await ask('DELETE', 'click/api_faults');
    showFaults();
  });
}

let faults = [];

async function showFaults() {
  try {
    faults = await ask('GET', 'telegram/faults');
  } catch {
    return; // The feed shows that the sandbox is unreachable.
  }
  drawWaiting();
}

function drawWaiting() {
  const ofClick = (state.shown.click_faults ?? []).map(({ step: of, effect, times }) => `${of}: ${t(effect)}${times > 1 ? ` × ${times}` : ''}`);
  const ofApi = (state.shown.api_faults ?? []).map(({ call, effect, times }) => `${call in API_CALLS ? t(API_CALLS[call]) : 'Merchant API'}: ${t(effect)}${times > 1 ? ` × ${times}` : ''}`);
  const ofTelegram = faults.map(({ effect, times }) => `Telegram: ${effect.replaceAll('_', ' ')} × ${times}`);
  const list = [...ofClick, ...ofApi, ...ofTelegram].join(', ');
  say(at('waiting-faults'), list ? t('waitingFaults', { list }) : t('noWaitingFaults'));
  at('waiting-faults').classList.toggle('waits', Boolean(list));
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
  drawWaiting();
  at('limits').setAttribute('aria-pressed', String(Boolean(state.shown.limits)));
}

export function readyFaults() {
  drawFaultButtons();
  feed.addEventListener('dashboard', draw);
  // A send uses a fault up, and is a trace event.
  feed.addEventListener('trace', () => { if (faults.length > 0) showFaults(); });
  onLanguage(() => {
    drawFaultButtons();
    draw();
  });
  showFaults();
}
