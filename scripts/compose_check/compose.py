"""docker compose, under a project name and on ports of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .table import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROJECT = "tolovcheck"
OURS = ["webhook", "projector", "bot", "reconciler", "sandbox"]
SERVICES = ["rabbitmq", "mongo"] + OURS
PORTS = ["WEBHOOK_PORT", "SANDBOX_PORT", "RABBITMQ_UI_PORT", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def compose_command():
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Failed("neither `docker compose` nor docker-compose is there")


class Compose:
    def __init__(self):
        self.command = compose_command()
        self.ports = {name: free_port() for name in PORTS}
        # Nothing of the caller's own shop: no .env, none of its variables.
        clean = ("PATH", "HOME", "USER", "LANG", "TMPDIR")
        self.env = {name: value for name, value in os.environ.items() if name in clean or name.startswith("DOCKER_")}
        self.env.update({name: str(port) for name, port in self.ports.items()})
        self.env["COMPOSE_HTTP_TIMEOUT"] = "300"
        # In place of the checkout's .env; docker-compose 1.29 wants a regular file.
        self.no_env = tempfile.NamedTemporaryFile(prefix="compose-check-", suffix=".env")

    def __call__(self, *arguments, timeout=900, check=True, env=None):
        line = [*self.command, "--project-name", PROJECT, "--env-file", self.no_env.name, *arguments]
        done = subprocess.run(
            line, cwd=ROOT, env={**self.env, **(env or {})}, capture_output=True, text=True, timeout=timeout
        )
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(arguments)}: {(done.stdout + done.stderr)[-2000:]}")
        return done

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def id(self, service):
        """Of the service's container, also of one that has stopped. Compose itself would take a second for each answer."""
        labels = [f"project={PROJECT}", f"service={service}", "oneoff=False"]
        filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
        ids = subprocess.run(["docker", "ps", "-aq", *filters], capture_output=True, text=True).stdout.split()
        return ids[0] if ids else ""

    def inspect(self, service):
        done = subprocess.run(["docker", "inspect", self.id(service)], capture_output=True, text=True)
        return json.loads(done.stdout)[0] if done.returncode == 0 else None

    def health(self, service):
        state = (self.inspect(service) or {}).get("State", {})
        return state.get("Health", {}).get("Status", state.get("Status", "gone"))

    def wait_healthy(self, services, within_s):
        started = time.monotonic()
        while True:
            states = {service: self.health(service) for service in services}
            if all(state == "healthy" for state in states.values()):
                return time.monotonic() - started
            if time.monotonic() - started > within_s:
                raise Failed(f"not healthy after {within_s} s: {states}")
            time.sleep(1)

    def wait_done(self, service, within_s):
        """Until a one-shot service has ended; its exit code, also of one that has ended long ago."""
        end = time.monotonic() + within_s
        while True:
            state = (self.inspect(service) or {}).get("State")
            if state and state["Status"] == "exited":
                return state["ExitCode"]
            if time.monotonic() > end:
                raise Failed(f"{service} has not ended after {within_s} s: {state and state['Status']}")
            time.sleep(1)

    def inside(self, service, address, path):
        """The body that a service of the network answers with: asked from inside, where METRICS_ADDR is reached."""
        host, port = address.split(":")
        script = f"exec 3<>/dev/tcp/{host}/{port}; printf 'GET {path} HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n' >&3; cat <&3"
        done = self("exec", "-T", service, "bash", "-c", script, check=False, timeout=60)
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        return body if " 200" in head.split("\n")[0] else None

    def has_image(self, image):
        """Whether an image is there or can be had."""
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0:
            return True
        return subprocess.run(["docker", "pull", "-q", image], capture_output=True, timeout=600).returncode == 0

    def kill_9(self, service, just_before=lambda: None):
        """Ends the container's main process as a crash would; Docker restarts it. Returns how."""
        pid = self.inspect(service)["State"]["Pid"]
        if os.geteuid() == 0 and pid and os.path.exists(f"/proc/{pid}"):
            just_before()
            # The init of the container, with which everything else in it ends.
            os.kill(pid, signal.SIGKILL)
            return "process"
        container = self.id(service)
        just_before()
        subprocess.run(["docker", "kill", container], check=True, capture_output=True)
        subprocess.run(["docker", "start", container], check=True, capture_output=True)
        return "container"
