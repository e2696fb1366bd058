// Making elements, and asking the sandbox.

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

/** Replaces the text only if it changed: screen readers read what changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function toast(text, kind = '') {
  const line = h('p', { class: kind }, text);
  at('toasts').append(line);
  setTimeout(() => line.remove(), 5000);
}

export class Refused extends Error {}

/** Asks the control API. What it refuses is thrown with its own words. */
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

/** Does something for a button: what goes wrong is told, and the button is held meanwhile. */
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

/** Many calls within a frame become one. */
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

/** Buttons that close, and a click on what is beside the dialog. */
export function readyDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog || event.target.closest('[data-close]')) dialog.close();
    });
  }
}
