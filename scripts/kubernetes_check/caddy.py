"""Who the service behind Caddy hears of, with the Caddyfile and the variables of the rendered manifests.

    caddy.py CADDY RENDERED     exit 1 when a caller behind the Ingress is not the one that Caddy names
"""

import http.client
import http.server
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLER, INGRESS, STRANGER = "149.154.160.1", "127.0.0.2", "127.0.0.3"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Service(http.server.BaseHTTPRequestHandler):
    """Answers with the X-Forwarded-For that it was given."""

    def do_POST(self):
        named = ", ".join(self.headers.get_all("X-Forwarded-For") or []).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(named)))
        self.end_headers()
        self.wfile.write(named)

    def log_message(self, *_):
        pass


def variables(rendered):
    """Those of the container `caddy`."""
    with open(rendered, encoding="utf-8") as file:
        objects = [one for one in yaml.safe_load_all(file) if one]
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    pod = next(one for one in objects if one["kind"] == "Deployment" and one["metadata"]["name"] == "caddy")
    container = pod["spec"]["template"]["spec"]["containers"][0]
    found = {}
    for variable in container["env"]:
        key = variable.get("valueFrom", {}).get("configMapKeyRef")
        found[variable["name"]] = maps[key["name"]][key["key"]] if key else variable["value"]
    return found


def named_by_caddy(port, path, sender):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(sender, 0))
    connection.request("POST", path, "", {"X-Forwarded-For": f"203.0.113.9, {CALLER}"})
    return connection.getresponse().read().decode()


def main(caddy, rendered):
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    port, upstream = free_port(), f"127.0.0.1:{service.server_port}"
    given = variables(rendered)
    if "CADDY_TRUSTED_PROXIES" in given:
        # The Ingress of this check is on this machine.
        given["CADDY_TRUSTED_PROXIES"] += f" {INGRESS}/32"
    with tempfile.TemporaryDirectory() as folder:
        given |= {"DOMAIN": f"http://:{port}", "UPSTREAM": upstream, "BOT_UPSTREAM": upstream}
        given |= {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        with open(f"{ROOT}/deploy/Caddyfile", encoding="utf-8") as file:
            text = file.read().replace("127.0.0.1:2019", f"127.0.0.1:{free_port()}")
        with open(f"{folder}/Caddyfile", "w", encoding="utf-8") as file:
            file.write(text)
        with open(f"{folder}/log", "w+", encoding="utf-8") as log:
            server = subprocess.Popen([caddy, "run", "--config", f"{folder}/Caddyfile"], env=given, stdout=log, stderr=log)
            try:
                return compare(server, log, port)
            finally:
                server.terminate()
                server.wait()


def compare(server, log, port):
    end = time.monotonic() + 20
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
        if server.poll() is not None or time.monotonic() > end:
            log.seek(0)
            return [f"Caddy does not start: {log.read()[-500:]}"]
        time.sleep(0.1)
    wrong = []
    for path in ("/payments/click/webhook", "/telegram/webhook"):
        for sender, end_of_list in ((INGRESS, f", {CALLER}, {INGRESS}"), (STRANGER, STRANGER)):
            named = named_by_caddy(port, path, sender)
            # Of a stranger nothing may be passed on.
            if not named.endswith(end_of_list) or (sender == STRANGER and named != STRANGER):
                wrong.append(f"{path} from {sender}: the service hears of {named!r}")
    return wrong


if __name__ == "__main__":
    problems = main(*sys.argv[1:])
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    sys.exit(bool(problems))
