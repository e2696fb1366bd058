// The page's language.

import { words } from './words.js';

const LANGUAGES = ['uz', 'ru', 'en'];
const listeners = [];
let language = firstLanguage();

function firstLanguage() {
  const kept = localStorage.getItem('language');
  const wanted = [kept, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? 'en';
}

export const currentLanguage = () => language;

/** The word, with {names} filled in. */
export function t(key, values = {}) {
  const word = words[key]?.[LANGUAGES.indexOf(language)];
  if (word === undefined) throw new Error(`no word for ${key}`);
  return word.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

export function onLanguage(listener) {
  listeners.push(listener);
}

export function setLanguage(wanted) {
  language = wanted;
  localStorage.setItem('language', wanted);
  translate();
  for (const listener of listeners) listener();
}

/** Fills data-word, data-label and data-hint in. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = t(element.dataset.word);
  for (const element of root.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', t(element.dataset.label));
    if (element.matches('button, a, label')) element.title = t(element.dataset.label);
  }
  for (const element of root.querySelectorAll('[data-hint]')) element.placeholder = t(element.dataset.hint);
}

export const clock = (ms) =>
  new Date(ms).toLocaleTimeString('ru', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const shortClock = (ms) => new Date(ms).toLocaleTimeString('ru', { hour: '2-digit', minute: '2-digit' });

/** 12 ms, 3.4 s, 2 min. */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
