"""Plays a person and CLICK against shop.py, as in CI: pytest test_shop.py, with the sandbox and the shop running (pip install pytest httpx)."""

import os
import re

import httpx
import pytest

SANDBOX = os.environ.get("SANDBOX", "http://127.0.0.1:8081")


def call(method, path, **body):
    answer = httpx.request(method, SANDBOX + "/sandbox" + path, json=body if method != "GET" else None, timeout=60)
    answer.raise_for_status()
    return answer.json()


def wait_for(chat, text):
    return call("GET", f"/telegram/chats/{chat}/wait?contains={text}&timeout_ms=30000")


@pytest.fixture(autouse=True)
def merchant():
    shop = os.environ.get("SHOP", "http://127.0.0.1:8000") + "/click"
    call("POST", "/reset")
    call("POST", "/click/merchant", prepare_url=shop, complete_url=shop)


def test_a_purchase_is_told_once_though_the_answer_to_complete_is_lost():
    person = call("POST", "/telegram/shoppers", first_name="Ali")["id"]
    call("POST", f"/telegram/shoppers/{person}/text", text="/start")
    wait_for(person, "Order")
    offer = call("GET", f"/telegram/chats/{person}/messages")[-1]["text"]
    number, link = re.match(r"Order (\d+): (\S+)", offer).groups()
    call("POST", "/click/faults", step="complete", times=1, effect="lost_answer")
    paid = call("POST", "/click/pay", link=link)
    assert paid["exchanges"][-1]["answer"]["error"] == -4, "CLICK's repetition of the Complete"
    wait_for(person, "is%20paid")
    said = [message["text"] for message in call("GET", f"/telegram/chats/{person}/messages")]
    assert said.count(f"Order {number} is paid. Thank you!") == 1


def test_a_forged_signature_pays_nothing():
    person = call("POST", "/telegram/shoppers", first_name="Vali")["id"]
    call("POST", f"/telegram/shoppers/{person}/text", text="/start")
    wait_for(person, "Order")
    number = re.match(r"Order (\d+)", call("GET", f"/telegram/chats/{person}/messages")[-1]["text"]).group(1)
    played = call("POST", "/click/scenarios", order_id=number, amount="15000.00", scenario="wrong_signature", step="complete")
    assert played["exchanges"][-1]["answer"]["error"] == -1, played
    assert "is paid" not in str(call("GET", f"/telegram/chats/{person}/messages"))
