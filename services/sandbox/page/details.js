// What really went over the wire, or into a store, at one hop.

import { ask, at, doing, openDialog } from './dom.js';
import { clock, duration, t } from './texts.js';

export function showHop(seq) {
  return doing(null, async () => {
    const { hop, payload } = await ask('GET', `events/${seq}`);
    at('details-title').textContent = `${stageName(hop.stage)}${hop.order_id ? ` · ${hop.order_id}` : ''}`;
    const took = hop.took_ms === undefined ? '' : ` · ${t('took', { time: duration(hop.took_ms) })}`;
    at('details-about').textContent = `${hop.ok ? '✓' : '✗'} ${hop.title} · ${clock(hop.at_ms)}${took}`;
    at('details-payload').textContent = pretty(payload);
    openDialog(at('details'));
  });
}

/** Indented; a field and its value stay on one line. */
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
