// CLICK's page in a dialog over the chat.

import { at, openDialog } from './dom.js';
import { currentLanguage } from './texts.js';

const PATH = '/services/pay';

export function isCheckout(address) {
  const url = URL.parse ? URL.parse(address, location.href) : new URL(address, location.href);
  return url?.pathname === PATH;
}

/** Opens the link's query at this sandbox. */
export function openCheckout(address) {
  const query = new URL(address, location.href).searchParams;
  if (!query.has('lang')) query.set('lang', currentLanguage());
  at('checkout-frame').src = `${PATH}?${query}`;
  at('checkout-out').href = `${PATH}?${query}`;
  openDialog(at('checkout'));
}

export function readyCheckout() {
  at('checkout').addEventListener('close', () => {
    at('checkout-frame').src = 'about:blank';
  });
}
