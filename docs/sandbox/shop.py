"""A merchant of CLICK and a Telegram bot in one file: FastAPI answers Prepare and Complete, aiogram sends the pay link.

    pip install aiogram fastapi uvicorn python-multipart
    SANDBOX=http://127.0.0.1:8081 uvicorn shop:app --port 8000
"""

import asyncio
import hashlib
import os
from contextlib import asynccontextmanager
from decimal import Decimal

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from fastapi import FastAPI, Form

SANDBOX = os.environ.get("SANDBOX", "http://127.0.0.1:8081")
SERVICE_ID, MERCHANT_ID = "12345", "6789"
SECRET_KEY = os.environ.get("CLICK_SECRET_KEY", "sandbox-only-click-key")
TOKEN = os.environ.get("BOT_TOKEN", "1000000001:sandbox-only-bot-token")

session = AiohttpSession(api=TelegramAPIServer.from_base(SANDBOX))
bot, dispatcher = Bot(TOKEN, session=session), Dispatcher()
orders = {}  # number -> amount, chat, state; a shop has a database


@dispatcher.message(CommandStart())
async def start(message):
    number = len(orders) + 1
    orders[number] = {"amount": Decimal("15000.00"), "chat": message.chat.id, "state": "waiting"}
    link = f"{SANDBOX}/services/pay?service_id={SERVICE_ID}&merchant_id={MERCHANT_ID}&amount=15000.00&transaction_param={number}"
    await message.answer(f"Order {number}: {link}")


@asynccontextmanager
async def lifespan(_):
    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
    yield
    await dispatcher.stop_polling()
    await polling


app = FastAPI(lifespan=lifespan)


@app.post("/click")
async def click(
    click_trans_id: str = Form(), service_id: str = Form(), click_paydoc_id: str = Form(), merchant_trans_id: str = Form(),
    amount: str = Form(), action: str = Form(), error: int = Form(), sign_time: str = Form(), sign_string: str = Form(),
    merchant_prepare_id: str = Form(default=""),
):
    def answer(code, note, **more):
        return {"click_trans_id": int(click_trans_id), "merchant_trans_id": merchant_trans_id, "error": code, "error_note": note, **more}

    signed = click_trans_id + service_id + SECRET_KEY + merchant_trans_id + merchant_prepare_id + amount + action + sign_time
    if hashlib.md5(signed.encode()).hexdigest() != sign_string:
        return answer(-1, "SIGN CHECK FAILED!")
    order = orders.get(int(merchant_trans_id)) if merchant_trans_id.isdigit() else None
    if order is None:
        return answer(-5, "User does not exist")
    if Decimal(amount) != order["amount"]:
        return answer(-2, "Incorrect parameter amount")
    if order["state"] == "paid":
        return answer(-4, "Already paid")
    if action == "0":
        return answer(0, "Success", merchant_prepare_id=int(merchant_trans_id))
    if merchant_prepare_id != merchant_trans_id:
        return answer(-6, "Transaction does not exist")
    if error < 0:
        return answer(-9, "Transaction cancelled")
    order["state"] = "paid"
    await bot.send_message(order["chat"], f"Order {merchant_trans_id} is paid. Thank you!")
    return answer(0, "Success", merchant_confirm_id=int(merchant_trans_id))
