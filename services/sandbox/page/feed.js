// The long poll that keeps the page up to date.

import { ask } from './dom.js';

/** Events: trace (detail: new events), dashboard, revision, link. */
export const feed = new EventTarget();
export const state = { seq: 0, revision: 0, dashboardVersion: 0, switches: {}, shown: {}, isLive: false };

/** Between two polls, so that many changes come in few answers. */
const POLL_PAUSE_MS = 60;
const RETRY_PAUSE_MS = 1000;
/** The server's maximum: there may be more, so the next poll follows at once. */
const FULL_ANSWER = 1000;

const emit = (name, detail) => feed.dispatchEvent(new CustomEvent(name, { detail }));
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

export async function follow() {
  for (;;) {
    try {
      const query = `after=${state.seq}&revision=${state.revision}&dashboard=${state.dashboardVersion}`;
      const news = await ask('GET', `events?${query}`);
      live(true);
      take(news);
      if (news.events.length < FULL_ANSWER) await pause(POLL_PAUSE_MS);
    } catch {
      live(false);
      await pause(RETRY_PAUSE_MS);
    }
  }
}

function live(isLive) {
  if (state.isLive === isLive) return;
  state.isLive = isLive;
  emit('link', isLive);
}

function take(news) {
  state.run ??= news.run;
  if (news.run !== state.run) {
    // The sandbox was restarted.
    location.reload();
    return;
  }
  if (news.dashboard_version !== state.dashboardVersion && news.switches) {
    Object.assign(state, { switches: news.switches, shown: news.shown, dashboardVersion: news.dashboard_version });
    emit('dashboard');
  }
  if (news.events.length > 0) {
    state.seq = news.events.at(-1).seq;
    emit('trace', news.events);
  }
  if (news.revision !== state.revision) {
    state.revision = news.revision;
    emit('revision');
  }
}
