// Pictures of every screen of a shopper, for docs/shop.md. `scripts/pictures` runs it on two demos: one with the usual time
// to pay, and one with seconds.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { SOON, addShopper, ask, payAt, story } from './browser.mjs';

const OWNER = 5551002;
const STAFF = -1001000000001;
const PHONE = { viewport: { width: 390, height: 720 }, locale: 'uz-UZ', colorScheme: 'light', bypassCSP: true };
/** What is the page's own, around the chat. */
const CHAT_ONLY = `.top, .tabs, .people, #pay-bar, #block, #chat-about { display: none !important }
  main { padding: 0 !important } .messenger { height: 100dvh !important; grid-template-rows: minmax(0, 1fr) !important; border: 0; border-radius: 0 } .chat-head { min-height: 3.2rem }`;
/** Longer than the whole time to pay of the second demo. */
const IN_TIME = { timeout: 90_000 };

/** One shopper with Telegram in the hand. */
class Shopper {
  constructor(page, id) {
    this.page = page;
    this.id = id;
  }

  button(text) {
    return this.page.locator('.inline-keyboard button').filter({ hasText: text }).last();
  }

  /** Taps a button, and waits for what it leads to. */
  async tap(text, then) {
    await this.button(text).click();
    if (then) await this.shows(then);
  }

  /** The bot's newest message shows a text or a button. */
  async shows(text) {
    await this.page.locator('.message:not(.mine):not(.gone)').last().filter({ hasText: text }).waitFor(SOON);
  }

  async says(text, then) {
    await this.page.locator('#text').fill(text);
    await this.page.locator('#text').press('Enter');
    if (then) await this.shows(then);
  }

  /** Some message of the bot shows a text. */
  async sees(text, limit = SOON) {
    await this.page.locator('.message:not(.mine):not(.gone)').filter({ hasText: text }).last().waitFor(limit);
  }

  /** A tap on the keyboard in the place of the phone's own. */
  async taps_keyboard(then) {
    await this.page.locator('#reply-keyboard button').first().click();
    await this.shows(then);
  }

  async picture(name) {
    const { page } = this;
    // The screen before is deleted after the new one is shown.
    await page.waitForTimeout(500);
    await page.locator('.message.gone').first().waitFor({ state: 'detached' });
    await page.locator('.toast').first().waitFor({ state: 'detached' });
    await page.mouse.move(0, 0);
    await page.evaluate(() => {
      document.activeElement?.blur();
      const messages = document.getElementById('messages');
      messages.scrollTop = messages.scrollHeight;
      for (const animation of document.getAnimations()) animation.finish();
    });
    const chrome = await page.context().newCDPSession(page);
    const { data } = await chrome.send('Page.captureScreenshot', { format: 'webp', quality: 75 });
    await chrome.detach();
    await writeFile(path.join(process.env.PAGE_SCREENSHOTS, `shop-${name}.webp`), Buffer.from(data, 'base64'));
    console.log(`   ${name}`);
  }
}

async function comes(page, name) {
  const id = await addShopper(page, name);
  await page.addStyleTag({ content: CHAT_ONLY });
  const shopper = new Shopper(page, id);
  await shopper.says('/start', 'Sovg‘alar');
  return shopper;
}

/** The shop's staff do something below the newest post. */
const staffTap = (text) => ask('POST', `sandbox/telegram/channels/${STAFF}/tap`, { shopper_id: OWNER, text });

async function finds(shopper) {
  await shopper.picture('start');
  await shopper.tap('Русский', 'Добро пожаловать');
  await shopper.picture('language');
  await shopper.tap('O‘zbekcha', 'xush kelibsiz');
  await shopper.says('/menu', 'Nima kerak');
  await shopper.picture('menu');
  await shopper.tap('Katalog', 'Sovg‘alar');
  await shopper.picture('catalogue');
  await shopper.tap('Kiyim', 'Adras');
  await shopper.picture('category');
  await shopper.tap('Paxta futbolka', 'Qaysi biri');
  await shopper.picture('variants');
  await shopper.tap('M · ', 'Savatga qo‘shish');
  await shopper.picture('card');
  await shopper.tap('Savatga qo‘shish', '+1');
  await shopper.picture('counter');
  await shopper.page.locator('.inline-keyboard button').filter({ hasText: /^1\s+ta$/ }).click();
  await shopper.sees('Nechta kerak');
  await shopper.picture('quantity');
  await shopper.says('3', 'Rasmiylashtirish');
  await shopper.says('чой', 'ta mahsulot topildi');
  await shopper.picture('search');
  await shopper.tap('Ko‘k choy', 'Savatga qo‘shish');
  await shopper.tap('Savatga qo‘shish', '+1');
}

async function checksOut(shopper) {
  await shopper.tap('Savat (', 'Savatingiz');
  await shopper.picture('cart');
  await shopper.tap('Promokod', 'Promokodni yozib');
  await shopper.says('xush10', 'Chegirma');
  await shopper.picture('promo');
  await shopper.tap('Rasmiylashtirish', 'qaysi raqam');
  await shopper.picture('phone');
  await shopper.taps_keyboard('Buyurtmangizni tekshiring');
  await shopper.picture('checkout');
  await shopper.tap('Yetkazib berish', 'Qayerga');
  await shopper.picture('address');
  await shopper.says('Chilonzor 5, 12-uy', 'Chilonzor');
  await shopper.sees('Mo‘ljal');
  await shopper.tap('Mo‘ljal', 'Mo‘ljalni yozing');
  await shopper.picture('landmark');
  await shopper.says('2-podyezd, 4-qavat', '4-qavat');
  await shopper.tap('Izoh', 'izohingiz');
  await shopper.picture('comment');
  await shopper.says('Kechqurun 6 dan keyin', 'Kechqurun');
  await shopper.picture('checkout-delivery');
}

async function paysAndGets(shopper) {
  const { page } = shopper;
  await shopper.tap('To‘lash ·', 'To‘lov kutilmoqda');
  await shopper.picture('placed');
  await shopper.tap('CLICK orqali');
  const checkout = page.frameLocator('#checkout-frame');
  await checkout.locator('[name=card]').waitFor();
  await shopper.picture('click');
  await payAt(checkout);
  await checkout.locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await shopper.sees('to‘landi');
  await shopper.sees('✅ To‘langan');
  await shopper.picture('paid');
  for (const [deed, told] of [['Qabul qilish', 'yig‘yapmiz'], ['Tayyor', 'tayyor, tez'], ['Yo‘lga chiqdi', 'yo‘lga chiqdi'],
    ['Yetkazildi', 'Rahmat, yana kutamiz']]) {
    await staffTap(deed);
    await shopper.sees(told);
  }
  await shopper.picture('delivered');
}

async function comesBack(shopper) {
  await shopper.says('/orders', 'Buyurtmalaringiz');
  await shopper.picture('orders');
  await shopper.tap('№', 'Qayta buyurtma');
  await shopper.picture('order');
  await shopper.tap('Qayta buyurtma', 'Manzil, telefon, izoh');
  await shopper.picture('next-cart');
  await shopper.says('/profile', 'Taklif qilgan');
  await shopper.picture('profile');
  await shopper.tap('Do‘st taklif', 'Havolangiz');
  await shopper.picture('invite');
  await shopper.says('/help', 'Yordam');
  await shopper.picture('help');
  await shopper.says('/menu', 'Nima kerak');
  await shopper.tap('Bizga yozish', 'Savolingizni yozing');
  await shopper.says('Futbolkaning XL o‘lchami yana keladimi?', 'operatorga yetkazildi');
  await shopper.picture('support');
  await answers('Futbolkaning XL', 'Ha, ertaga keladi.');
  await shopper.sees('Do‘kondan javob');
  await shopper.picture('answer');
}

/** The owner replies to a shopper's message. */
async function answers(question, answer) {
  const query = new URLSearchParams({ contains: question, after_revision: '0', timeout_ms: String(SOON.timeout) });
  const copy = await ask('GET', `sandbox/telegram/chats/${OWNER}/wait?${query}`);
  await ask('POST', `sandbox/telegram/shoppers/${OWNER}/text`, { text: answer, reply_to_message_id: copy.message_id });
}

async function orders(shopper) {
  await shopper.tap('Sovg‘alar', 'Rishton');
  await shopper.tap('Rishton', 'Savatga qo‘shish');
  await shopper.tap('Savatga qo‘shish', '+1');
  await shopper.tap('Rasmiylashtirish', 'qaysi raqam');
  await shopper.taps_keyboard('Buyurtmangizni tekshiring');
  await shopper.tap('To‘lash ·', 'To‘lov kutilmoqda');
}

if (process.argv[2] === 'unpaid') {
  await story('an order that is not paid in time', PHONE, async (page) => {
    const shopper = await comes(page, 'Karim');
    await orders(shopper);
    await shopper.says('/cart', 'Savatingiz');
    await shopper.tap('Rasmiylashtirish', 'to‘lanmagan');
    await shopper.picture('waiting');
    await shopper.says('/menu', 'Nima kerak');
    await shopper.sees('to‘lash uchun', IN_TIME);
    await shopper.picture('reminder');
    await shopper.sees('to‘lov muddati o‘tdi', IN_TIME);
    await shopper.picture('expired');
  });
} else {
  await story('the screens of a shopper', PHONE, async (page) => {
    // The owner has the bot open, and hears what shoppers ask.
    await ask('POST', `sandbox/telegram/shoppers/${OWNER}/text`, { text: '/start' });
    const shopper = await comes(page, 'Zulfiya');
    await finds(shopper);
    await checksOut(shopper);
    await paysAndGets(shopper);
    await comesBack(shopper);
  });
}
