// What was sent or stored at one trace event.

import { ask, at, doing, openDialog } from './dom.js';
import { clock, duration, t } from './texts.js';

export function showEvent(seq) {
  return doing(null, async () => {
    const { event, payload } = await ask('GET', `events/${seq}`);
    at('details-title').textContent = `${stageName(event.stage)}${event.order_id ? ` · ${event.order_id}` : ''}`;
    const took = event.took_ms === undefined ? '' : ` · ${t('took', { time: duration(event.took_ms) })}`;
    at('details-about').textContent = `${event.ok ? '✓' : '✗'} ${event.title} · ${clock(event.at_ms)}${took}`;
    at('details-payload').textContent = pretty(payload);
    openDialog(at('details'));
  });
}

/** Indented, with a field and its value on one line. */
function pretty(payload) {
  const text = JSON.stringify(payload, null, 2);
  return text.replace(/\[\s+("[^"\n]*"),\s+("[^"\n]*")\s+\]/g, '[$1, $2]');
}

export function stageName(stage) {
  try {
    return t(`stage_${stage}`);
  } catch {
    return stage;
  }
}
