// CLICK's page in a sheet over the chat, as Telegram opens it.

import { at, openDialog } from './dom.js';
import { currentLanguage } from './texts.js';

const PATH = '/services/pay';

export function isCheckout(address) {
  const url = URL.parse ? URL.parse(address, location.href) : new URL(address, location.href);
  return url?.pathname === PATH;
}

/** The link is CLICK's; the sandbox that serves this page is the CLICK that it means. */
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
