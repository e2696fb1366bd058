// Creates elements and calls the control API.

import { t } from './texts.js';

/** @returns {HTMLElement} */
export const at = (id) => document.getElementById(id);

/** h('button', { class: 'x', onclick }, 'text', child) */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== 'string') element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Replaces the text only if it changed: screen readers announce changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function toast(text, kind = '') {
  const line = h('p', { class: kind }, text);
  at('toasts').append(line);
  setTimeout(() => line.remove(), 5000);
}

export class Refused extends Error {}

/** Calls the control API; a refusal is thrown with its message. */
export async function ask(method, path, body, signal) {
  const request = { method, signal };
  if (method !== 'GET') {
    request.body = JSON.stringify(body ?? {});
    request.headers = { 'content-type': 'application/json' };
  }
  const answer = await fetch(`/sandbox/${path}`, request);
  const json = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(json?.error ?? `HTTP ${answer.status}`);
  return json;
}

/** Runs a button's work: the button is busy meanwhile, and an error is shown. */
export async function doing(button, work) {
  if (button?.getAttribute('aria-busy') === 'true') return undefined;
  button?.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } catch (problem) {
    toast(problem instanceof Refused ? problem.message : t('away'), 'bad');
    return undefined;
  } finally {
    button?.removeAttribute('aria-busy');
  }
}

/** Runs `draw` at most once a frame. */
export function eachFrame(draw) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      draw();
    });
  };
}

export function openDialog(dialog) {
  if (!dialog.open) dialog.showModal();
}

/** Closes dialogs by their buttons and by a click outside. */
export function readyDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog || event.target.closest('[data-close]')) dialog.close();
    });
  }
}
