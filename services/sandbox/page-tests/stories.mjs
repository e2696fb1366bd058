// What a person does with the page.

import { STAGES, addShopper, ask, bot, check, order, pay, payAt, reached, shop, shot, station, story } from './browser.mjs';

const HEALS = { timeout: 60_000 };
/** A red dot: the smallest PNG that a browser draws. */
const RED_DOT = Uint8Array.from(atob(
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4z8DwHwMWjAIjUQAAlO4J97mVjGsAAAAASUVORK5CYII='), (character) => character.charCodeAt(0));

await story('a person shops in the chat, from hello to paid', {}, async (page) => {
  await addShopper(page, 'Zuhra');
  await shop(page);
  const checkout = page.frameLocator('#checkout-frame');
  await payAt(checkout);
  await checkout.locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await page.locator('.message').filter({ hasText: "to‘landi" }).last().waitFor();
  for (const stage of STAGES) await reached(page, stage);
  await shot(page, 'shopped');
});

await story('each screen of a shopper fits a phone', { viewport: { width: 390, height: 844 } }, async (page) => {
  await addShopper(page, 'Zulfiya');
  await shop(page, async (screen) => {
    await page.locator('.message').last().evaluate((message) => message.scrollIntoView({ block: 'end' }));
    await shot(page, `shopper-${screen}`);
  });
  const checkout = page.frameLocator('#checkout-frame');
  await payAt(checkout);
  await checkout.locator('.good h1').waitFor();
  await shot(page, 'shopper-click');
  await page.locator('#checkout [data-close]').click();
  await page.locator('.message').filter({ hasText: 'to‘landi' }).last().waitFor();
  // The message with the buttons to pay follows the order.
  await page.locator('.message').filter({ hasText: '✅ To‘langan' }).waitFor();
  await shot(page, 'shopper-paid');
});

for (const [device, options] of [['', {}], ['phone-', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }]]) {
  await story(`${device}a receipt, and the money back`, options, async (page) => {
    const tab = async (name) => { if (device) await page.locator(`.tabs [data-show=${name}]`).click(); };
    const said = (text) => page.locator('.message:not(.mine)').filter({ hasText: text }).last();
    const tap = (text) => page.locator('.inline-keyboard button').filter({ hasText: text }).last().click();
    await addShopper(page, `Gulnora ${device}`);
    await shop(page);
    const checkout = page.frameLocator('#checkout-frame');
    await payAt(checkout);
    await checkout.locator('.good h1').waitFor();
    await page.locator('#checkout [data-close]').click();
    await said('✅ To‘langan').waitFor();
    const number = /№(\d+)/.exec(await said('✅ To‘langan').textContent())[1];
    const link = said('cheki:').locator('a');
    await link.waitFor(HEALS);
    const receipt = await link.getAttribute('href');
    check(receipt.startsWith('https://ofd.soliq.uz/'), `the shopper's receipt is at ${receipt}`);
    await shot(page, `${device}receipt-chat`);
    await tab('path');
    await page.locator('#order').selectOption(number);
    await reached(page, 'receipt', HEALS);
    check(await station(page, 'receipt').locator('a').getAttribute('href') === receipt, 'the path leads to another receipt');
    check(await station(page, 'refund').count() === 0, 'nobody asked for the money back');
    check((await ask('GET', 'sandbox/click/receipts')).some((one) => one.qr_code_url === receipt), 'CLICK does not know the receipt');
    await station(page, 'receipt').scrollIntoViewIfNeeded();
    await shot(page, `${device}receipt-path`);
    await tab('chat');
    await page.locator('#chat-list button').filter({ hasText: 'Sardor' }).click();
    for (const [words, button] of [['/admin', 'Buyurtmalar'], [null, 'Qidirish'], [number, 'Pulni qaytarish'], [null, 'To‘liq summani'], [null, 'qaytarilsin']]) {
      if (words) {
        await page.locator('#text').fill(words);
        await page.locator('#text').press('Enter');
      }
      await page.locator('.inline-keyboard button').filter({ hasText: button }).last().waitFor();
      await tap(button);
    }
    await said('· Sardor (owner) ·').waitFor();
    await shot(page, `${device}refund-owner`);
    await page.locator('#chat-list button').filter({ hasText: `Gulnora ${device}` }).last().click();
    await said('pul qaytarildi').waitFor(HEALS);
    await shot(page, `${device}refund-chat`);
    await tab('path');
    await reached(page, 'refund', HEALS);
    await station(page, 'refund').scrollIntoViewIfNeeded();
    await shot(page, `${device}refund-path`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(overflow <= 0, `the page is ${overflow} px wider than the screen`);
  });
}

await story('a purchase by clicking', {}, async (page) => {
  await addShopper(page, 'Aziz');
  const number = await order(page);
  const checkout = await pay(page);
  await checkout.locator('.good h1').waitFor();
  await shot(page, 'checkout-paid');
  await page.locator('#checkout [data-close]').click();
  for (const stage of STAGES) await reached(page, stage);
  await page.locator('.message').filter({ hasText: number }).waitFor();
  check(await page.locator('.station.bad').count() === 0, 'a station is red though all went well');
  await station(page, 'complete').locator('.chip').click();
  await page.locator('#details-title').filter({ hasText: number }).waitFor();
  const payload = JSON.parse(await page.locator('#details-payload').textContent());
  check(payload.fields.some(([name, value]) => name === 'merchant_trans_id' && value === number), 'the payload is not of this order');
  await shot(page, 'payload');
  await page.keyboard.press('Escape');
  await page.locator('#chat-list button').filter({ hasText: 'staff' }).click();
  await page.locator('.message').filter({ hasText: number }).waitFor();
  await shot(page, 'light');
});

await story('a lost callback is repeated', { colorScheme: 'dark' }, async (page) => {
  await addShopper(page, 'Bahor');
  const number = await order(page);
  await page.locator('[data-click-fault=lost_callback]').click();
  await page.locator('#waiting-faults.waits').waitFor();
  const checkout = await pay(page);
  await page.locator('.station.bad[data-stage=complete]').waitFor();
  await checkout.locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await page.locator('.station.healed[data-stage=complete]').waitFor();
  await reached(page, 'telegram');
  await page.locator('.message').filter({ hasText: number }).waitFor();
  await shot(page, 'dark-lost-callback-healed');
});

await story('a refused card', { locale: 'ru-RU' }, async (page) => {
  await addShopper(page, 'Vali');
  const number = await order(page);
  await page.locator('#pay').click();
  const checkout = page.frameLocator('#checkout-frame');
  await checkout.locator('text=Номер карты').waitFor();
  await shot(page, 'checkout-ru');
  await page.locator('#checkout [data-close]').click();
  await pay(page, { card: '8600111122223333' });
  await checkout.locator('.bad h1').waitFor();
  check((await checkout.locator('.ending').textContent()).includes('недостаточно средств'), 'the payer is not told why');
  await shot(page, 'checkout-refused-ru');
  await page.locator('#checkout [data-close]').click();
  check((await page.locator('#pay-bar span').textContent()).includes(number), 'a refused card leaves the order open');
  page.expected = ['422'];
  await pay(page, { code: '000000' });
  await checkout.locator('.problem').waitFor();
  await checkout.locator('form[action$=cancel] button').click();
  await checkout.locator('.bad h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  // The order can be paid after all that.
  await (await pay(page)).locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await page.locator('.message').filter({ hasText: number }).waitFor();
});

await story('every service stops and recovers', {}, async (page) => {
  await addShopper(page, 'Gulnora');
  for (const [name, waits] of [['broker', 'outbox'], ['store', 'store'], ['telegram', 'telegram']]) {
    await page.locator(`[data-switch=${name}]`).click();
    await page.locator(`[data-switch=${name}][aria-checked=false]`).waitFor();
    const number = name === 'store' ? null : await order(page);
    if (name === 'store') {
      // Orders need the store, so this one is placed before it stops.
      await page.locator('[data-switch=store]').click();
      await page.locator('[data-switch=store][aria-checked=true]').waitFor();
      await order(page);
      await page.locator('[data-switch=store]').click();
    }
    await (await pay(page)).locator('.good h1').waitFor();
    await page.locator('#checkout [data-close]').click();
    await page.locator(`.station.bad[data-stage=${waits}]`).waitFor();
    if (name === 'broker') await page.locator('#gauges .full').first().waitFor();
    await shot(page, `stopped-${name}`);
    await page.locator(`[data-switch=${name}]`).click();
    await reached(page, 'telegram', HEALS);
    if (number) await page.locator('.message').filter({ hasText: number }).waitFor(HEALS);
  }
  await page.locator('[data-switch=bot]').click();
  const number = await order(page);
  await (await pay(page)).locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await reached(page, 'store');
  await page.locator('[data-switch=bot]').click();
  await page.locator('.message').filter({ hasText: number }).waitFor(HEALS);
});

await story('every callback fault ends in a paid order', {}, async (page) => {
  await addShopper(page, 'Dono');
  for (const fault of ['lost_answer', 'twice', 'late', 'out_of_order', 'wrong_amount', 'wrong_signature']) {
    const number = await order(page);
    await page.locator(`[data-click-fault=${fault}]`).click();
    await page.locator('#waiting-faults.waits').waitFor();
    await (await pay(page)).locator('.good h1').waitFor();
    await page.locator('#checkout [data-close]').click();
    await page.locator('.message').filter({ hasText: number }).waitFor();
    check(await page.locator('.message').filter({ hasText: number }).count() === 1, `${fault}: notified more than once`);
  }
  await page.locator('[data-fault=too_many_requests]').click();
  const number = await order(page);
  await (await pay(page)).locator('.good h1').waitFor();
  await page.locator('#checkout [data-close]').click();
  await page.locator('.station.bad[data-stage=telegram]').waitFor();
  await page.locator('.message').filter({ hasText: number }).waitFor(HEALS);
  await shot(page, 'click-faults');
});

await story('the chat shows all that a bot can do', { locale: 'uz-UZ', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, async (page) => {
  const shopper = await addShopper(page, 'Erkin');
  const inChat = (params) => ({ chat_id: shopper, ...params });
  const picture = new FormData();
  picture.set('chat_id', String(shopper));
  picture.set('caption', 'Yashil choy');
  picture.set('photo', new Blob([RED_DOT], { type: 'image/png' }), 'choy.png');
  await bot('sendPhoto', picture);
  await page.locator('.bubble img').waitFor();
  check(await page.locator('.bubble img').evaluate((image) => image.decode().then(() => image.naturalWidth)) === 5, 'the photo is not drawn');
  await page.locator('#photo').setInputFiles({ name: 'choy.png', mimeType: 'image/png', buffer: Buffer.from(RED_DOT) });
  await page.locator('.message.mine .bubble img').waitFor();
  const sent = await bot('sendMessage', inChat({
    text: '<b>Savat</b>: <i>2 ta</i> <a href="https://click.uz">click.uz</a> <script>', parse_mode: undefined,
    reply_markup: { inline_keyboard: [[{ text: 'Toʻlash', callback_data: 'pay' }, { text: 'Sayt', url: 'https://click.uz' }]] },
  }));
  await page.locator('.inline-keyboard button').first().waitFor();
  await bot('editMessageText', inChat({ message_id: sent.message_id, text: '<b>Savat</b>: <s>2</s> 3 ta', parse_mode: 'HTML' }));
  await page.locator('.bubble b, .bubble strong').filter({ hasText: 'Savat' }).waitFor();
  await page.locator('.when').filter({ hasText: 'tahrirlandi' }).waitFor();
  await bot('sendMessage', inChat({
    text: 'Raqamingiz?',
    reply_markup: { keyboard: [[{ text: 'Raqamni yuborish', request_contact: true }], [{ text: 'Manzil', request_location: true }, { text: 'Menyu' }]], resize_keyboard: true },
  }));
  await page.locator('#reply-keyboard button').nth(1).click();
  await page.locator('.message.mine .file').filter({ hasText: 'Joylashuv' }).waitFor();
  // The shop's own bot takes the number, and the keyboard with it.
  await page.locator('#reply-keyboard button').first().click();
  await page.locator('.message.mine .file').filter({ hasText: '+998' }).waitFor();
  await page.locator('#reply-keyboard').waitFor({ state: 'hidden' });
  await shot(page, 'phone-chat');
  const gone = await bot('sendMessage', inChat({ text: 'bu xabar oʻchiriladi' }));
  await page.locator('.message').filter({ hasText: 'oʻchiriladi' }).waitFor();
  await bot('deleteMessage', inChat({ message_id: gone.message_id }));
  await page.locator('.message').filter({ hasText: 'oʻchiriladi' }).waitFor({ state: 'detached' });
  await bot('sendMessage', inChat({ text: 'Rahmat', reply_markup: { remove_keyboard: true } }));
  await page.locator('#reply-keyboard').waitFor({ state: 'hidden' });
  await shop(page);
  await page.frameLocator('#checkout-frame').locator('text=Karta raqami').waitFor();
  await shot(page, 'phone-checkout');
  await page.locator('#checkout [data-close]').click();
  await page.locator('.tabs [data-show=path]').click();
  await shot(page, 'phone-path');
  await page.locator('.tabs [data-show=faults]').click();
  await shot(page, 'phone-faults');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(overflow <= 0, `the page is ${overflow} px wider than the phone`);
});

await story('a load with its bars and plots, and the page stays smooth', {}, async (page) => {
  await page.locator('#purchases').fill(process.env.PAGE_LOAD ?? '1000');
  await page.evaluate(() => {
    window.longest = 0;
    window.longTasks = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        window.longTasks += 1;
        window.longest = Math.max(window.longest, duration);
      }
    }).observe({ type: 'longtask', buffered: false });
  });
  await page.locator('#run').click();
  await page.locator('#stop').waitFor();
  await page.locator('#notified-says').filter({ hasText: /[1-9]\d\d of/ }).waitFor(HEALS);
  await shot(page, 'load-running');
  await page.locator('#load-says').filter({ hasText: /\d/ }).waitFor({ timeout: 180_000 });
  await shot(page, 'load-done');
  const { paid, notified, failed, wanted } = (await ask('GET', 'sandbox/events?after=0&wait_ms=0')).shown.load;
  check(paid === wanted && notified === wanted && failed === 0, `of ${wanted} were paid ${paid}, notified ${notified}, failed ${failed}`);
  const { longest, longTasks, nodes, events } = await page.evaluate(() => ({
    longest: window.longest, longTasks: window.longTasks, nodes: document.querySelectorAll('*').length,
    events: Number(/\d+/.exec(document.getElementById('log-count').textContent)[0]),
  }));
  console.log(`   ${events} events, ${nodes} elements, ${longTasks} long tasks, the longest ${Math.round(longest)} ms`);
  check(events > 10_000, `only ${events} events`);
  check(nodes < 3000, `${nodes} elements: the lists are not bounded`);
  check(longest < 500, `a task of ${longest} ms: the page stutters`);
});

await story('the page is used with the keyboard alone', { colorScheme: 'dark' }, async (page) => {
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('button, input, select, a[href]')]
    .filter((control) => control.checkVisibility() && !(control.getAttribute('aria-label') || control.textContent.trim() || control.labels?.[0]?.textContent.trim()))
    .map((control) => control.outerHTML));
  check(unnamed.length === 0, `controls without a name:\n${unnamed.join('\n')}`);
  await page.locator('#chat-list button').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('#log .windowed').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.locator('#details[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#details').waitFor({ state: 'hidden' });
  await page.locator('[data-switch=bot]').focus();
  await page.keyboard.press('Space');
  await page.locator('[data-switch=bot][aria-checked=false]').waitFor();
  await page.keyboard.press('Space');
  await page.locator('[data-switch=bot][aria-checked=true]').waitFor();
  await page.locator('#theme').press('Enter');
  check(await page.evaluate(() => document.documentElement.dataset.theme) === 'light', 'the switch does not make it light');
  for (const [language, word] of [['uz', 'Navbatlar'], ['ru', 'Очереди'], ['en', 'Queues']]) {
    await page.locator('#language').selectOption(language);
    await page.locator('#gauges-title').filter({ hasText: word }).waitFor();
  }
});
