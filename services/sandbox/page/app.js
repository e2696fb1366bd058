// Starts the parts of the page.

import { readyChat } from './chat.js';
import { readyChats } from './chats.js';
import { readyCheckout } from './checkout.js';
import { at, readyDialogs, say } from './dom.js';
import { feed, follow, state } from './feed.js';
import { readyFaults } from './faults.js';
import { readyLoad, redrawLoad } from './load.js';
import { drawLog, readyLog } from './log.js';
import { readyPath } from './path.js';
import { currentLanguage, onLanguage, setLanguage, t, translate } from './texts.js';

function readyLanguage() {
  at('language').value = currentLanguage();
  at('language').addEventListener('change', ({ target }) => setLanguage(target.value));
}

/** Follows the system's theme until one is chosen. */
function readyTheme() {
  const root = document.documentElement;
  const kept = localStorage.getItem('theme');
  if (kept) root.dataset.theme = kept;
  at('theme').addEventListener('click', () => {
    const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = isDark ? 'light' : 'dark';
    localStorage.setItem('theme', root.dataset.theme);
    redrawLoad();
  });
}

/** A phone shows one part at a time. */
function readyTabs() {
  const root = document.documentElement;
  for (const tab of document.querySelectorAll('.tabs button')) {
    tab.addEventListener('click', () => {
      root.dataset.show = tab.dataset.show;
      for (const other of document.querySelectorAll('.tabs button')) other.setAttribute('aria-pressed', String(other === tab));
    });
  }
}

function drawLink() {
  at('link').classList.toggle('away', !state.isLive);
  say(at('link'), t(state.isLive ? 'live' : 'offline'));
}

translate();
readyLanguage();
readyTheme();
readyTabs();
readyDialogs();
readyCheckout();
readyPath(drawLog);
readyLog();
readyChats();
readyChat();
readyFaults();
readyLoad();
onLanguage(drawLink);
feed.addEventListener('link', drawLink);
drawLink();
follow();
