"""What the soak runs share: a Bailee that may be killed, an OpenSSH server, a counting proxy, a receiver of events.

Everything listens on loopback, lives below one scratch folder, and is ended by the process id that was started here.
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import requests

MIB = 1024 * 1024
START_SECONDS_MAX = 60
READY_SECONDS_MAX = 3.0
# Every body begins with this, so that a plain byte on disk is found by one search.
CANARY = b"soak-canary-7d1f0c52-plain-text"
ROOMY = {
    "rate_limits.write": 1_000_000,
    "rate_limits.read": 1_000_000,
    "rate_limits.auth": 1_000_000,
    "rate_limits.status": 1_000_000,
    "limits.connections_per_address": 10_000,
}


def arguments(description, **numbers):
    """The options of a run: the binary, a scratch folder, the seed, and the run's own numbers."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bailee", default=os.environ.get("BAILEE", "target/debug/bailee"))
    parser.add_argument("--scratch", help="folder that is kept; a temporary one by default")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    for name, default in numbers.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended then too
    print(f"seed {given.seed}", flush=True)
    return given


class Scratch:
    """A folder for one run. It stays when the run failed."""

    def __init__(self, kept, verdict):
        self.verdict = verdict
        self.path = pathlib.Path(kept or tempfile.mkdtemp(prefix="bailee-soak-"))
        self.path.mkdir(parents=True, exist_ok=True)
        self.is_kept = bool(kept)

    def __enter__(self):
        return self.path

    def __exit__(self, kind, *_):
        if kind is None and not self.is_kept and not self.verdict.failures:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print(f"kept: {self.path}")


class Verdict:
    """Counts what was checked and prints what failed."""

    def __init__(self):
        self.checks = 0
        self.failures = []
        self.lock = threading.Lock()

    def check(self, holds, what):
        with self.lock:
            self.checks += 1
            if not holds:
                self.failures.append(what)
                print(f"FAIL {what}", flush=True)
        return bool(holds)

    def end(self):
        print(f"{self.checks} checks, {len(self.failures)} failed", flush=True)
        sys.exit(1 if self.failures else 0)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def content(seed, size):
    """Bytes that follow from `seed`: the canary, then noise."""
    head = (CANARY + b"-%d\n" % seed)[:size]
    return head + random.Random(seed).randbytes(size - len(head))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Bailee:
    """A development server on one port and one data folder, through all its lives."""

    def __init__(self, binary, scratch, settings=None, name="data"):
        self.binary = str(binary)
        self.data = scratch / name
        self.log_path = scratch / f"{name}.log"
        self.port = free_port()
        self.settings = {**ROOMY, **(settings or {})}
        self.environment = {**os.environ, "XDG_CONFIG_HOME": str(scratch / "config")}
        (scratch / "config").mkdir(exist_ok=True)
        self.process = None
        self.lives = 0
        self.ready_seconds = []

    def start(self, wrapper=(), seconds_max=START_SECONDS_MAX):
        """Starts and waits for `/readyz`. False if the process ended first."""
        command = [*wrapper, self.binary, "serve", "--dev", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        begun = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment
            )
        self.lives += 1
        while time.monotonic() - begun < seconds_max:
            if self.process.poll() is not None:
                return False
            if self._is_ready():
                self.ready_seconds.append(time.monotonic() - begun)
                self.facts = json.loads((self.data / "dev.json").read_text())
                self.url = self.facts["url"] + "/v1"
                self.key = self.facts["api_key"]
                self.ca = self.facts["ca_file"]
                return True
            time.sleep(0.02)
        raise RuntimeError(f"not ready after {seconds_max} s; see {self.log_path}")

    def _is_ready(self):
        if not (self.data / "dev.json").exists():
            return False
        try:
            url = f"https://127.0.0.1:{self.port}/readyz"
            return requests.get(url, verify=str(self.data / "tls/ca.pem"), timeout=2).ok
        except (requests.RequestException, OSError):
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def session(self):
        session = requests.Session()
        session.verify = self.ca
        session.headers["Authorization"] = f"Bearer {self.key}"
        session.trust_env = False
        return session

    def scrub(self):
        """Exit code and output of `bailee vault scrub`; the server must be stopped."""
        command = [self.binary, "vault", "scrub", "--data", str(self.data)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=600
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def status_kib(self, field):
        """A figure of /proc/<pid>/status, such as VmHWM."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def canaries(self):
        """Files below the data folder that hold plain content."""
        needles = (CANARY, base64.b64encode(CANARY)[:-4], CANARY.hex().encode())
        found = []
        for path in [*self.data.rglob("*"), self.log_path]:
            if path.is_file() and any(needle in path.read_bytes() for needle in needles):
                found.append(str(path))
        return found


class Sshd:
    """An OpenSSH server with a configuration, keys and a folder of its own."""

    def __init__(self, scratch):
        self.folder = scratch / "sshd"
        self.folder.mkdir()
        self.base = self.folder / "files"
        self.base.mkdir()
        self.port = free_port()
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        for name in ("host", "user"):
            path = self.folder / name
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True
            )
        at = self.folder
        (at / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\n"
            f"AuthorizedKeysFile {at}/user.pub\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n"
            "PerSourcePenalties no\nSubsystem sftp internal-sftp\nLogLevel ERROR\n"
        )
        self._drop_unknown_options()
        self.process = None

    def _drop_unknown_options(self):
        config = self.folder / "config"
        test = subprocess.run(
            ["/usr/sbin/sshd", "-t", "-f", str(config)], capture_output=True, text=True
        )
        if "PerSourcePenalties" in test.stderr:
            config.write_text(config.read_text().replace("PerSourcePenalties no\n", ""))

    def start(self):
        with open(self.folder / "log", "ab") as log:
            command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "config")]
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("sshd does not listen")

    def kill_sessions(self):
        """Kills the processes that serve connections, by id. How many there were."""
        killed = 0
        for pid in reversed(descendants(self.process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        return killed

    def stop(self):
        if self.process and self.process.poll() is None:
            self.kill_sessions()
            self.process.kill()
            self.process.wait()

    def remote(self, name, port=None):
        """The body that makes this server a remote of Bailee."""
        host_key = (self.folder / "host.pub").read_text().strip()
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)
        return {
            "name": name,
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": port or self.port,
            "username": user.stdout.strip(),
            "private_key": (self.folder / "user").read_text(),
            "host_key": host_key,
            "base_path": str(self.base),
        }


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found.append(child)
            try:
                found += descendants(child)
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


class CountingProxy:
    """Passes TCP on and counts what clients send, at a bounded speed so that there is time to break things."""

    def __init__(self, target, bytes_per_second=0, port=0):
        self.target = ("127.0.0.1", target)
        self.bytes_per_second = bytes_per_second
        self.up_bytes = 0
        self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(self.target, 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            self.connections += 1
            for ends in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, sink, is_up):
        begun, passed = time.monotonic(), 0
        try:
            while data := source.recv(256 * 1024):
                if is_up:
                    with self.lock:
                        self.up_bytes += len(data)
                    passed += len(data)
                    if self.bytes_per_second:
                        ahead = passed / self.bytes_per_second - (time.monotonic() - begun)
                        if ahead > 0:
                            time.sleep(ahead)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if is_up:
                continue
            end.close()


class Receiver:
    """Takes events and remembers them by `webhook-id`. It may refuse a share of them."""

    def __init__(self, refuse_share=0.0, seed=0):
        self.events = {}
        self.deliveries = {}
        self.lock = threading.Lock()
        chance = random.Random(seed)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver.lock:
                    refuse = chance.random() < refuse_share
                    if not refuse:
                        known = self.headers["webhook-id"]
                        receiver.events[known] = json.loads(body)
                        receiver.deliveries[known] = receiver.deliveries.get(known, 0) + 1
                self.send_response(503 if refuse else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A sender that was killed is no error here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ids(self):
        with self.lock:
            return set(self.events)


def pages(session, url, **parameters):
    """Every entry of a list."""
    parameters = {"limit": 500, **parameters}
    while True:
        answer = session.get(url, params=parameters, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        yield from page["data"]
        if not page["has_more"]:
            return
        parameters["cursor"] = page["next_cursor"]


def all_events(session, url):
    """Every event, oldest first."""
    after = 0
    while True:
        answer = session.get(f"{url}/events", params={"after": after, "limit": 500}, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        yield from page["data"]
        if not page["has_more"]:
            return
        after = page["next_after"]


def upload_parts(session, url, folder, name, blocks, part_bytes, hash_hex):
    """Sends a file as a part session. `blocks` yields the parts."""
    opened = session.post(
        f"{url}/uploads",
        json={"destination": folder, "filename": name, "part_size": part_bytes},
        timeout=60,
    )
    opened.raise_for_status()
    session_id = opened.json()["session_id"]
    for number, block in enumerate(blocks):
        put = session.put(f"{url}/uploads/{session_id}/parts/{number}", data=block, timeout=120)
        put.raise_for_status()
    done = session.post(
        f"{url}/uploads/{session_id}/complete", json={"hash": hash_hex}, timeout=120
    )
    done.raise_for_status()
    return done.json()
