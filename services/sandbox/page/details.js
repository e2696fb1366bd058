// What really went over the wire, or into a store, at one hop.

import { ask, at, doing, openDialog } from './dom.js';
import { clock, duration, t } from './texts.js';

export function showHop(seq) {
  return doing(null, async () => {
    const { hop, payload } = await ask('GET', `events/${seq}`);
    at('details-title').textContent = `${stageName(hop.stage)}${hop.order_id ? ` · ${hop.order_id}` : ''}`;
    const took = hop.took_ms === undefined ? '' : ` · ${t('took', { time: duration(hop.took_ms) })}`;
    at('details-about').textContent = `${hop.ok ? '✓' : '✗'} ${hop.title} · ${clock(hop.at_ms)}${took}`;
    at('details-payload').textContent = JSON.stringify(payload, null, 2);
    openDialog(at('details'));
  });
}

export function stageName(stage) {
  try {
    return t(`stage_${stage}`);
  } catch {
    return stage;
  }
}
