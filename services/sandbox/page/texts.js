// The page's language and its texts.

import { translations } from './translations.js';

const LANGUAGES = ['uz', 'ru', 'en'];
const listeners = [];
let language = firstLanguage();

function firstLanguage() {
  const kept = localStorage.getItem('language');
  const wanted = [kept, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? 'en';
}

export const currentLanguage = () => language;

/** The text of a key, with {names} filled in. */
export function t(key, values = {}) {
  const text = translations[key]?.[LANGUAGES.indexOf(language)];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
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

/** Fills in data-text, data-label and data-hint. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
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
