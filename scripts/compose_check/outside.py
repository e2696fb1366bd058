"""The view from outside: metrics, Prometheus with its rules, and what Caddy lets through."""

import http.client
import json
import re
import ssl
import threading
import time
import urllib.parse

from .compose import ROOT
from .shop import API_TOKEN
from .table import Failed, row
from .web import call

PROMETHEUS = "prom/prometheus:v3.5.0"
CADDY = "caddy:2.11.4"
CLICK_PATH = "/payments/click/webhook"
SCRAPED = {"webhook", "projector", "bot", "reconciler", "rabbitmq", "prometheus"}


def check_metrics(compose):
    """Each service's page, asked from the container of another: METRICS_ADDR is published nowhere."""
    wanted = {
        "webhook": 'tolov_orders_total{state="paid"}',
        "projector": 'tolov_projector_deliveries_total{verdict="done"}',
        "bot": 'tolov_sends_total{method="sendMessage",result="sent"}',
    }
    seen, missing = [], []
    for service, metric in wanted.items():
        asker = "projector" if service == "webhook" else "webhook"
        page = compose.inside(asker, f"{service}:9000", "/metrics") or ""
        found = re.search(re.escape(metric) + r" ([1-9]\d*)", page)
        ready = compose.inside(asker, f"{service}:9000", "/ready") or ""
        if not found or '"ready"' not in ready:
            missing.append(f"{service}: {metric} or /ready")
        else:
            seen.append(f"{metric} {found.group(1)}")
    row("metrics scraped", not missing, "; ".join(missing or seen))


# --- Prometheus --------------------------------------------------------------------------------------------------------


def check_prometheus(compose):
    if not compose.has_image(PROMETHEUS):
        row("profile observability: Prometheus", None, f"{PROMETHEUS} cannot be had here")
        return
    rules = []
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"], ["check", "config", "prometheus.yml"]):
        command[-1] = f"/etc/prometheus/{command[-1]}"
        # The tests of the rules want a place for their data, and the root is read-only.
        tool = ["--no-deps", "-e", "TMPDIR=/prometheus", "--entrypoint", "promtool", "prometheus", *command]
        done = compose("run", "--rm", "-T", *tool, check=False, timeout=120)
        rules.append((" ".join(command[:2]), done.returncode, (done.stdout + done.stderr).strip()[-300:]))
    bad = [text for _, code, text in rules if code != 0]
    row("promtool: rules, their tests, the configuration", not bad, "; ".join(bad) or ", ".join(name for name, _, _ in rules))
    compose("up", "-d", "prometheus", timeout=300)
    compose.wait_healthy(["prometheus"], 120)
    check_targets(compose)
    check_dashboard(compose)


def ask(compose, path):
    status, answer = call("GET", f"{compose.url('PROMETHEUS_PORT')}/api/v1/{path}")
    return answer.get("data") if status == 200 and isinstance(answer, dict) else None


def check_targets(compose):
    end = time.monotonic() + 90
    while time.monotonic() < end:
        targets = (ask(compose, "targets") or {}).get("activeTargets", [])
        labels = [(one["labels"].get("service", one["labels"]["job"]), one["health"]) for one in targets]
        states = {name: {health for named, health in labels if named == name} for name, _ in labels}
        good = SCRAPED <= set(states) and all(state == {"up"} for state in states.values())
        if good:
            break
        time.sleep(3)
    seen = ", ".join(f"{name}: {'/'.join(sorted(state))}" for name, state in sorted(states.items()))
    row("Prometheus scrapes every service", good, seen)
    # Rules are evaluated every 15 s; an alert that is wrong about a shop that is well would be there by now.
    time.sleep(20)
    groups = (ask(compose, "rules") or {}).get("groups", [])
    alerts = [rule for group in groups for rule in group["rules"]]
    ill = [rule["name"] for rule in alerts if rule["health"] != "ok"]
    firing = [rule["name"] for rule in alerts if rule["state"] == "firing"]
    row("alert rules are evaluated", bool(alerts) and not ill, f"{len(alerts)} rules, firing: {', '.join(firing) or 'none'}")


def check_dashboard(compose):
    """Grafana's image may not be to be had; that its questions are answered can be seen without it."""
    with open(f"{ROOT}/deploy/grafana/dashboards/tolov.json", encoding="utf-8") as file:
        questions = re.findall(r'"expr": ("(?:[^"\\]|\\.)*")', file.read())
    refused, empty = [], 0
    for question in map(json.loads, questions):
        expr = question.replace("$__rate_interval", "1m").replace("$__range", "1h").replace("$__interval", "15s")
        answer = ask(compose, "query?" + urllib.parse.urlencode({"query": expr}))
        if answer is None:
            refused.append(expr)
        elif not answer["result"]:
            empty += 1
    seen = f"{len(questions)} questions, {empty} without data yet"
    row("the dashboard's queries are answered", bool(questions) and not refused, "; ".join(refused[:3]) or seen)


def check_grafana(compose):
    image = "grafana/grafana:12.1.0"
    if not compose.has_image(image):
        row("profile observability: Grafana", None, f"{image} cannot be had here")
        return
    compose("up", "-d", "grafana", timeout=300)
    compose.wait_healthy(["grafana"], 180)
    status, _ = call("GET", f"{compose.url('GRAFANA_PORT')}/api/health")
    row("profile observability: Grafana", status == 200, f"healthy, {status}")


# --- Caddy -------------------------------------------------------------------------------------------------------------


class Public:
    """https://localhost as the outside has it, with the certificate checked against Caddy's own authority."""

    def __init__(self, compose):
        self.port = compose.ports["HTTPS_PORT"]
        self.trust = ssl.create_default_context()
        root = compose("exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt").stdout
        self.trust.load_verify_locations(cadata=root)

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=40)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error)
        finally:
            connection.close()

    def prepare(self, path=CLICK_PATH):
        """A forged Prepare: only the webhook service answers it with -1."""
        fields = {
            "click_trans_id": "1", "service_id": "12345", "click_paydoc_id": "1", "merchant_trans_id": "1",
            "amount": "1000", "action": "0", "error": "0", "error_note": "Success", "sign_time": "2026-01-01 00:00:00",
            "sign_string": "0" * 32,
        }
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.call("POST", path, urllib.parse.urlencode(fields), form)


def is_refused_by_us(answer):
    return answer[0] == 200 and '"error":-1' in answer[1].replace(" ", "")


def check_caddy(compose):
    if not compose.has_image(CADDY):
        row("profile https: Caddy", None, f"{CADDY} cannot be had here")
        return
    validate = ["caddy", "validate", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
    done = compose("run", "--rm", "-T", "--no-deps", "caddy", *validate, check=False, timeout=120)
    said = "valid" if "Valid configuration" in done.stdout + done.stderr else (done.stdout + done.stderr)[-200:]
    row("caddy validate", done.returncode == 0, said)
    compose("up", "-d", "caddy", timeout=300)
    compose.wait_healthy(["caddy"], 120)
    # The certificate is made after the start.
    end, public, answer = time.monotonic() + 60, None, (0, "nothing was asked")
    while time.monotonic() < end and not is_refused_by_us(answer):
        try:
            public = Public(compose)
            answer = public.prepare()
        except (Failed, OSError) as error:
            answer = (0, str(error))
        time.sleep(1)
    row("CLICK's path through Caddy, certificate checked", is_refused_by_us(answer), f"{answer[0]} {answer[1][:80]}")
    if public:
        answer = public.prepare(CLICK_PATH + "/")
        row("the address with a slash at its end", is_refused_by_us(answer), f"{answer[0]} {answer[1][:80]}")
        check_closed(compose, public)
        check_bridged(compose, public)


def check_closed(compose, public):
    token = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
    closed = [
        ("GET", CLICK_PATH), ("PUT", CLICK_PATH), ("POST", CLICK_PATH + "//"), ("POST", CLICK_PATH + "/x"),
        ("POST", CLICK_PATH + "/../../../api/create_order"), ("POST", CLICK_PATH + "%2f.."), ("GET", "/"),
        ("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics"), ("GET", "/orders"), ("GET", "/orders/1"),
        ("POST", "/api/create_order"), ("POST", "/orders/1/cancel"),
    ]
    let_through = []
    for method, path in closed:
        status, body = public.call(method, path, "{}" if method != "GET" else None, token)
        if status != 404 or body:
            let_through.append(f"{method} {path}: {status} {body[:40]}")
    # Another spelling of CLICK's path may be taken for it, and for nothing else.
    status, body = public.call("POST", "/" + CLICK_PATH, "{}", token)
    if status != 404 and '"error":-' not in body.replace(" ", ""):
        let_through.append(f"POST /{CLICK_PATH}: {status} {body[:40]}")
    large = public.call("POST", CLICK_PATH, "a" * 100_000, {"Content-Type": "application/x-www-form-urlencoded"})[0]
    if large not in (0, 400, 413):
        let_through.append(f"100 KB: {large}")
    plain = http.client.HTTPConnection("localhost", compose.ports["HTTP_PORT"], timeout=10)
    plain.request("POST", CLICK_PATH)
    redirected = plain.getresponse().status
    if redirected // 100 != 3:
        let_through.append(f"http: {redirected}")
    seen = f"{len(closed)} other paths and methods 404, 100 KB {large}, http {redirected}"
    row("nothing else is public through Caddy", not let_through, "; ".join(let_through) or seen)


def check_bridged(compose, public):
    """The webhook service is away for some seconds while CLICK calls."""
    compose("stop", "webhook", timeout=120)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(public.prepare()))
    started = time.monotonic()
    caller.start()
    time.sleep(3)
    compose("start", "webhook", timeout=120)
    caller.join(60)
    good = bool(answers) and is_refused_by_us(answers[0])
    row("a call during a restart waits in Caddy", good, f"answered after {time.monotonic() - started:.1f} s: {answers}"[:160])
    compose.wait_healthy(["webhook"], 120)
