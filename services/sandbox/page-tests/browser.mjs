// A headless Chromium on a running demo. Every error and warning of the page fails the test.

import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.PAGE_DRIVER, 'package.json'));
const { chromium } = require('playwright-core');

export const address = process.env.PAGE_ADDRESS;
const screenshots = process.env.PAGE_SCREENSHOTS;
export const SOON = { timeout: 15_000 };

export function check(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** Runs a story in a browser of its own; `options` are Playwright's for a context. */
export async function story(name, options, tell) {
  const browser = await chromium.launch({
    executablePath: process.env.PAGE_BROWSER,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const complaints = [];
  try {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1440, height: 950 }, ...options });
    context.setDefaultTimeout(SOON.timeout);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.stack));
    page.on('console', (line) => {
      const isExpected = page.expected?.some((words) => line.text().includes(words));
      if (['error', 'warning'].includes(line.type()) && !isExpected) complaints.push(`${line.text()} (${line.location().url})`);
    });
    page.on('request', (request) => {
      const isOurs = request.url().startsWith(address) || /^(data|blob|about):/.test(request.url());
      if (!isOurs) complaints.push(`the page asks ${request.url()}: it must work offline`);
    });
    await page.goto(address);
    await page.getByRole('status').filter({ hasText: /live|jonli|на связи/ }).waitFor();
    try {
      await tell(page);
    } catch (problem) {
      await shot(page, `failed-${name}`);
      throw problem;
    }
    check(complaints.length === 0, `the page complained:\n${complaints.join('\n')}`);
    console.log(`ok: ${name}`);
  } catch (problem) {
    console.error(`FAILED ${name}: ${problem.message}\n${complaints.join('\n')}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

export async function shot(page, name) {
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), animations: 'disabled' });
}

export async function ask(method, where, body) {
  const answer = await fetch(`${address}${where}`, {
    method,
    headers: body instanceof FormData ? {} : { 'content-type': 'application/json' },
    body: body instanceof FormData || body === undefined ? body : JSON.stringify(body),
  });
  check(answer.ok, `${method} ${where}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** A call of the Bot API, as a bot makes it. */
export const bot = (method, params) => ask('POST', `bot1000000001:page-test-bot/${method}`, params).then(({ result }) => result);

/** Adds a shopper with the page's own form and returns the number that the chat shows. */
export async function addShopper(page, name) {
  await page.locator('#add-shopper').click();
  const dialog = page.locator('#new-shopper');
  await dialog.locator('[name=first_name]').fill(name);
  await dialog.locator('button.main').click();
  await page.locator('#chat-title').filter({ hasText: name }).waitFor();
  return Number(/\d+/.exec(await page.locator('#chat-about').textContent())[0]);
}

/** Orders in the open chat and returns the order's number. */
export async function order(page) {
  await page.locator('#new-order').click();
  await page.locator('#pay').waitFor();
  return /\d+/.exec(await page.locator('#pay-bar span').textContent())[0];
}

/** Shops in the open chat in Uzbek, up to CLICK's page. `seen` is told of each screen. */
export async function shop(page, seen = () => {}) {
  const button = (text) => page.locator('.inline-keyboard button').filter({ hasText: text }).last();
  const tap = (text) => button(text).click();
  await page.locator('#text').fill('/start');
  await page.locator('#text').press('Enter');
  // A new shopper sees the catalogue at once.
  await button('Sovg').or(button('Katalog')).last().waitFor();
  await seen('start');
  if (await button('Katalog').isVisible()) await tap('Katalog');
  await tap('Sovg');
  await button('Rishton').waitFor();
  await seen('category');
  await tap('Rishton');
  await button('Savatga qo‘shish').waitFor();
  await seen('card');
  await tap('Savatga qo‘shish');
  await button('Rasmiylashtirish').waitFor();
  await seen('in-cart');
  await tap('Rasmiylashtirish');
  // The bot asks for a number only once.
  const share = page.locator('#reply-keyboard button').first();
  await button('To‘lash ·').or(share).first().waitFor();
  if (await share.isVisible()) {
    await seen('phone');
    await share.click();
  }
  await button('To‘lash ·').waitFor();
  await seen('checkout');
  await tap('To‘lash ·');
  await page.locator('.message:not(.mine)').filter({ hasText: 'To‘lov kutilmoqda' }).last().waitFor();
  await button('CLICK orqali').waitFor();
  await seen('placed');
  await tap('CLICK orqali');
}

/** Pays on CLICK's page in its dialog. */
export async function pay(page, { card = '8600495400000094', code = '666666' } = {}) {
  await page.locator('#pay').click();
  return payAt(page.frameLocator('#checkout-frame'), { card, code });
}

/** Fills in CLICK's page that is open. */
export async function payAt(checkout, { card = '8600495400000094', code = '666666' } = {}) {
  await checkout.locator('[name=card]').pressSequentially(card);
  await checkout.locator('[name=expiry]').pressSequentially('0399');
  await checkout.locator('button').click();
  await checkout.locator('[name=code]').fill(code);
  await checkout.locator('form[action$=sms] button').click();
  return checkout;
}

export const station = (page, stage) => page.locator(`.station[data-stage=${stage}]`);

/** Waits until the path shows that a station went well. */
export const reached = (page, stage, limit = SOON) =>
  page.locator(`.station.reached:not(.bad)[data-stage=${stage}]`).waitFor(limit);

export const STAGES = [
  'order', 'prepare', 'complete', 'ledger', 'outbox', 'broker', 'projector', 'store', 'bot', 'telegram',
];
