"""The processes of the shop, its broker, its store, and proxies between them."""

import os
import signal
import socket
import subprocess
import sys
import time

from compose_check.shop import API_TOKEN, STAFF_CHANNEL
from compose_check.web import call

from .proxy import Proxy

ROLES = ["sandbox", "webhook", "projector", "bot"]


def say(text):
    print(f"soak: {text}", file=sys.stderr, flush=True)


def free_port(first):
    """Below the ports of outgoing connections, one of which could take that of a service that was killed."""
    for port in range(first, first + 1000, 2):
        try:
            with socket.socket() as one:
                one.bind(("127.0.0.1", port))
            return port
        except OSError:
            pass
    raise OSError(f"no free port from {first} on")


class World:
    def __init__(self, root, binary, folder):
        self.root, self.binary, self.folder = root, binary, folder
        self.processes, self.ports, self.proxies = {}, {}, {}
        self.deaths = 0

    def start(self):
        library = self.folder / "faults.so"
        source = self.root / "checks/faults/faults.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        for number, name in enumerate(["webhook", "sandbox", "mongodb"]):
            self.ports[name] = free_port(14_000 + number * 1000)
        # The node's other ports are 10000 and 10001 above.
        self.ports["rabbitmq"] = free_port(20_000 + os.getpid() % 500 * 2)
        self.start_broker()
        self.start_store()
        for name in ["webhook", "mongodb", "rabbitmq"]:
            self.proxies[name] = Proxy(self.ports[name])
        for role in ROLES:
            self.start_role(role)
        self.wait_ready(60)

    def environment(self, role):
        url = lambda name: f"http://127.0.0.1:{self.ports[name]}"
        # CLICK's callbacks go through a proxy; the bot's own calls do not.
        webhook = f"http://127.0.0.1:{self.proxies['webhook'].port}" if role == "sandbox" else url("webhook")
        return {
            "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{self.proxies['rabbitmq'].port}/%2f",
            "MONGO_URL": f"mongodb://127.0.0.1:{self.proxies['mongodb'].port}/tolov?directConnection=true",
            "API_TOKEN": API_TOKEN,
            "WEBHOOK_ADDR": f"127.0.0.1:{self.ports['webhook']}",
            "WEBHOOK_URL": webhook,
            "SANDBOX_ADDR": f"127.0.0.1:{self.ports['sandbox']}",
            "SANDBOX_URL": url("sandbox"),
            "BOT_API_URL": url("sandbox"),
            "BOT_TOKEN": "1000000001:sandbox-only-token-in-the-right-form",
            "DB_CHANNEL": str(STAFF_CHANNEL),
            "CLICK_SERVICE_ID": "12345",
            "CLICK_MERCHANT_ID": "6789",
            "CLICK_SECRET_KEY": "sandbox-only-secret",
            "CLICK_TEST_MODE": "true",
            "BOT_MESSAGES_PER_S": "1000",
            "BOT_CHANNEL_POSTS_PER_MIN": "60",
            "RUST_LOG": "info",
            "LD_PRELOAD": str(self.folder / "faults.so"),
            "FAULT_FILE": str(self.fault_file(role)),
        }

    def url(self, name):
        """As compose_check's Shop asks for it."""
        return f"http://127.0.0.1:{self.ports[name.removesuffix('_PORT').lower()]}"

    def fault_file(self, role):
        return self.folder / f"{role}.fault"

    def start_role(self, role):
        with open(self.folder / f"{role}.log", "ab") as log:
            self.processes[role] = subprocess.Popen(
                [self.binary, role], cwd=self.folder, env=self.environment(role), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )

    def is_dead(self, role):
        return self.processes[role].poll() is not None

    def kill(self, role):
        self.processes[role].kill()
        self.processes[role].wait()
        self.deaths += 1

    def signal(self, role, number):
        if not self.is_dead(role):
            self.processes[role].send_signal(number)

    def script(self, name, command, *more):
        environment = dict(os.environ)
        environment.setdefault("SECANTUS_VENV", str(self.root / "target/secantus"))
        script = [self.root / f"scripts/private-{name}", command, self.folder / name, *more]
        subprocess.run(script, env=environment, stdin=subprocess.DEVNULL, check=True)

    def start_broker(self):
        self.script("rabbitmq", "start", str(self.ports["rabbitmq"]))

    def start_store(self):
        self.script("mongodb", "start", str(self.ports["mongodb"]), "--standalone")

    def signal_server(self, name, number):
        """The whole process group of the broker or of the store."""
        os.killpg(int((self.folder / name / "pid").read_text()), number)

    def is_ready(self):
        try:
            status, _ = call("GET", f"{self.url('webhook')}/ready", token=API_TOKEN, timeout=5)
            return status == 200 and call("GET", f"{self.url('sandbox')}/sandbox", timeout=5)[0] == 200
        except OSError:
            return False

    def wait_ready(self, within_s):
        end = time.monotonic() + within_s
        while not self.is_ready():
            if time.monotonic() > end:
                raise OSError(f"the shop was not up within {within_s} s; see {self.folder}/*.log")
            time.sleep(0.1)

    def audit(self):
        """The exit code and what was printed."""
        command = [self.binary, "audit", "--settle-for", "5", "--told-within", "0m"]
        environment = {name: value for name, value in self.environment("tools").items() if name != "LD_PRELOAD"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        return done.returncode, (done.stdout + done.stderr).strip()

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        for name in ("rabbitmq", "mongodb"):
            try:
                self.signal_server(name, signal.SIGCONT)
            except (OSError, ValueError):
                continue
            self.script(name, "kill")
            self.script(name, "stop")
        for proxy in self.proxies.values():
            proxy.stop()
