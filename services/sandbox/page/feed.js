// The one long poll that everything on the page lives on.

import { ask } from './dom.js';

/** Events: hops (detail: new ones), board, revision, link. */
export const feed = new EventTarget();
export const state = { seq: 0, revision: 0, boardVersion: 0, switches: {}, shown: {}, isLive: false };

/** Between two polls, so that a storm of news is read in few answers. */
const BREATH_MS = 60;
const AFTER_TROUBLE_MS = 1000;
/** After so many hops at once there is surely more: no pause then. */
const FULL = 1000;

const tell = (name, detail) => feed.dispatchEvent(new CustomEvent(name, { detail }));
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

export async function follow() {
  for (;;) {
    try {
      const query = `after=${state.seq}&revision=${state.revision}&board=${state.boardVersion}`;
      const news = await ask('GET', `events?${query}`);
      live(true);
      take(news);
      if (news.hops.length < FULL) await pause(BREATH_MS);
    } catch {
      live(false);
      await pause(AFTER_TROUBLE_MS);
    }
  }
}

function live(isLive) {
  if (state.isLive === isLive) return;
  state.isLive = isLive;
  tell('link', isLive);
}

function take(news) {
  state.run ??= news.run;
  if (news.run !== state.run) {
    // Another run of the sandbox: everything is new.
    location.reload();
    return;
  }
  if (news.board_version !== state.boardVersion && news.switches) {
    Object.assign(state, { switches: news.switches, shown: news.shown, boardVersion: news.board_version });
    tell('board');
  }
  if (news.hops.length > 0) {
    state.seq = news.hops.at(-1).seq;
    tell('hops', news.hops);
  }
  if (news.revision !== state.revision) {
    state.revision = news.revision;
    tell('revision');
  }
}
