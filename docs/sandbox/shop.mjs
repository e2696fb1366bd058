// The shop of shop.py with Node: Express answers Prepare and Complete, grammY sends the pay link.
//
//     npm install grammy express
//     SANDBOX=http://127.0.0.1:8081 node shop.mjs
import { createHash } from "node:crypto";
import express from "express";
import { Bot } from "grammy";

const sandbox = process.env.SANDBOX ?? "http://127.0.0.1:8081";
const secretKey = process.env.CLICK_SECRET_KEY ?? "sandbox-only-click-key";
const token = process.env.BOT_TOKEN ?? "1000000001:sandbox-only-bot-token";
const orders = new Map(); // number -> { chat, paid }; a shop has a database

const bot = new Bot(token, { client: { apiRoot: sandbox } });
bot.command("start", async (context) => {
  const number = String(orders.size + 1);
  orders.set(number, { chat: context.chat.id, paid: false });
  const query = `service_id=12345&merchant_id=6789&amount=15000.00&transaction_param=${number}`;
  await context.reply(`Order ${number}: ${sandbox}/services/pay?${query}`);
});

const app = express();
app.post("/click", express.urlencoded({ extended: false }), async (request, response) => {
  const form = request.body;
  const answer = (error, error_note, more = {}) =>
    response.json({ click_trans_id: Number(form.click_trans_id), merchant_trans_id: form.merchant_trans_id, error, error_note, ...more });
  const signed = [form.click_trans_id, form.service_id, secretKey, form.merchant_trans_id, form.merchant_prepare_id ?? "", form.amount, form.action, form.sign_time];
  if (createHash("md5").update(signed.join("")).digest("hex") !== form.sign_string) return answer(-1, "SIGN CHECK FAILED!");
  const order = orders.get(form.merchant_trans_id);
  if (!order) return answer(-5, "User does not exist");
  if (!/^15000(\.0{1,2})?$/.test(form.amount)) return answer(-2, "Incorrect parameter amount");
  if (order.paid) return answer(-4, "Already paid");
  if (form.action === "0") return answer(0, "Success", { merchant_prepare_id: Number(form.merchant_trans_id) });
  if (form.merchant_prepare_id !== form.merchant_trans_id) return answer(-6, "Transaction does not exist");
  if (Number(form.error) < 0) return answer(-9, "Transaction cancelled");
  order.paid = true;
  await bot.api.sendMessage(order.chat, `Order ${form.merchant_trans_id} is paid. Thank you!`);
  return answer(0, "Success", { merchant_confirm_id: Number(form.merchant_trans_id) });
});

app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1");
bot.start();
