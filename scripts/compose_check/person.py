"""A simulated person in Telegram: reads what the bot shows and taps its buttons."""

import time
import urllib.parse

from .table import Failed, row
from .web import call

# services/tolov/src/roles/seed_users.rs
DILNOZA = 5551001
SARDOR = 5551002
PATIENCE_S = 60


class Person:
    def __init__(self, sandbox, chat_id):
        self.sandbox, self.chat_id = sandbox, chat_id

    def knob(self, method, path, body=None, timeout=90):
        return call(method, f"{self.sandbox}/sandbox/telegram/{path}", body, timeout=timeout)

    def until(self, what, look):
        """Looks until there is something. What a person waits for in vain is told with what is shown instead."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if found := look():
                    return found
            except OSError:
                pass
            time.sleep(0.2)
        raise Failed(f"nobody answered {what!r}; shown: {self.screen()[-600:]}")

    def shown(self):
        """The bot's messages that are there, oldest first."""
        status, messages = self.knob("GET", f"chats/{self.chat_id}/messages")
        if status != 200:
            raise OSError(f"{status} {messages}")
        return [one for one in messages if one["from"] == "bot" and one.get("deleted_at_ms") is None]

    def screen(self):
        try:
            return " / ".join(f"{one['text']} {labels(one)}" for one in self.shown()[-3:])
        except OSError as error:
            return str(error)

    def says(self, text):
        self.until(text, lambda: self.knob("POST", f"shoppers/{self.chat_id}/text", {"text": text})[0] == 200)

    def taps(self, text):
        """The newest button with this text, as soon as it is there."""

        def tap():
            status, answer = self.knob("POST", f"shoppers/{self.chat_id}/tap", {"text": text})
            return answer if status == 200 else None

        tapped = self.until(text, tap)
        if query := tapped.get("callback_query_id"):
            status, answer = self.knob("GET", f"taps/{query}/answer?timeout_ms=30000")
            if status != 200:
                raise Failed(f"the tap on {text!r} was not answered: {status} {answer}")

    def sees(self, text):
        def look():
            return next((one for one in reversed(self.shown()) if text in (one["text"] or "")), None)

        return self.until(text, look)

    def sees_button(self, text):
        def look():
            return any(text in label for one in self.shown() for label in labels(one))

        self.until(text, look)

    def pay_link(self):
        def look():
            for one in reversed(self.shown()):
                for button in buttons(one):
                    if "/services/pay" in (button.get("url") or ""):
                        return button["url"]
            return None

        return self.until("the button to pay", look)


def buttons(message):
    markup = message.get("reply_markup") or {}
    rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
    return [button for line in rows for button in line]


def labels(message):
    return [button["text"] for button in buttons(message)]


def shops(person):
    """From /start to the button with which an order is paid. Returns its link."""
    person.says("/start")
    person.taps("Choy")
    person.taps("Ko‘k choy")
    person.taps("Savatga qo‘shish")
    person.taps("Rasmiylashtirish")
    person.taps("Raqamimni yuborish")
    person.taps("To‘lash ·")
    return person.pay_link()


def check_person(shop, log):
    """Dilnoza shops as people do: the chat, then CLICK's page with card and code, then the message."""
    dilnoza = Person(shop.sandbox, DILNOZA)
    started = time.monotonic()
    link = shops(dilnoza)
    order_id = int(urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["transaction_param"][0])
    log.of_a_person[order_id] = DILNOZA
    shop.pay_on_the_page(order_id, link)
    paid_at = time.monotonic()
    dilnoza.sees(f"№{order_id} buyurtma to‘landi")
    told_s = time.monotonic() - paid_at
    dilnoza.sees("✅ To‘langan")
    seen = f"order {order_id} from /start in {paid_at - started:.0f} s, told {told_s:.1f} s after paying"
    row("a person shops in the chat and pays", shop.status(order_id) == "paid", seen)
    return order_id


def check_owner(shop):
    sardor = Person(shop.sandbox, SARDOR)
    sardor.says("/start")
    sardor.sees_button("Xodimlar uchun")
    row("the sandbox's owner has the staff's menu", True, "Sardor sees it")


def check_remembered(shop, order_id):
    """After everything was down: the person asks for the order that was paid before."""
    dilnoza = Person(shop.sandbox, DILNOZA)
    dilnoza.says("/orders")
    dilnoza.taps(f"№{order_id}")
    dilnoza.sees("To‘langan")
    row("the person's order is there after down and up", True, f"/orders shows {order_id} as paid")
