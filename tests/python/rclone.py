"""rclone reads what Bailee wrote at S3, SFTP and WebDAV, and Bailee reads what rclone wrote.

One development server, and for each protocol a real peer that both reach: moto, OpenSSH, WsgiDAV. Names are awkward,
sizes are around the edges. Prints a line for each check and answers how many passed and failed.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from server import NO_LIMITS, Server, Sshd, free_port

PATIENCE_SECONDS = 120
MIB = 1024 * 1024
# Names that some program would quote, and sizes around segments and parts.
FILES = {
    "plain.csv": 1000,
    "empty": 0,
    "one": 1,
    "with space.txt": 65536,
    "grüße/日本.txt": 65537,
    "deep/er/still/file.bin": 3 * MIB + 17,
    "a+b=c&d%20.txt": 4096,
    "quote'semi;hash#.txt": 12,
    "large.bin": 21 * MIB + 1,
}


# WsgiDAV decodes the `Destination` of a rename before it looks for parameters behind a `;`, and cuts there.
CUT_BY_WEBDAV = "quote'semi;hash#.txt"


class Program:
    """A server of another maker."""

    def __init__(self, line, port, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/", timeout=5)
                return
            except requests.RequestException:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError(f"{line[0]} did not start; see {log}") from None
                time.sleep(0.05)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def s3(root):
    """Peer, rclone's options, Bailee's remote, the folder in rclone's terms."""
    port = free_port()
    line = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    peer = Program(line, port, root / "moto.log")
    url = f"http://127.0.0.1:{port}"
    requests.put(f"{url}/box", timeout=10).raise_for_status()
    options = {
        "type": "s3", "provider": "Other", "endpoint": url, "access_key_id": "k", "secret_access_key": "s",
        "region": "us-east-1", "force_path_style": "true", "chunk_size": "5Mi",
    }
    remote = {
        "kind": "s3", "endpoint": url, "region": "us-east-1", "bucket": "box", "path_style": True,
        "access_key_id": "k", "secret_access_key": "s",
    }
    return peer.stop, options, remote, "box"


def sftp(root):
    peer = Sshd()
    peer.__enter__()
    key = root / "key"
    key.write_text(peer.private_key)
    key.chmod(0o600)
    options = {"type": "sftp", "host": "127.0.0.1", "port": str(peer.port), "user": peer.user, "key_file": str(key)}
    remote = {
        "kind": "sftp", "host": "127.0.0.1", "port": peer.port, "username": peer.user,
        "private_key": peer.private_key, "host_key": peer.host_key, "base_path": str(peer.files),
    }
    return lambda: peer.__exit__(), options, remote, str(peer.files)


def webdav(root):
    port = free_port()
    files = root / "dav"
    files.mkdir()
    settings = {
        "host": "127.0.0.1", "port": port, "provider_mapping": {"/": str(files)}, "verbose": 1,
        "simple_dc": {"user_mapping": {"*": {"acme": {"password": "open sesame"}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "dir_browser": {"enable": False}, "lock_storage": None, "property_manager": None,
    }
    config = root / "dav.json"
    config.write_text(json.dumps(settings))
    line = [str(Path(sys.executable).parent / "wsgidav"), "--config", str(config)]
    peer = Program(line, port, root / "dav.log")
    url = f"http://127.0.0.1:{port}/"
    hidden = subprocess.run(["rclone", "obscure", "open sesame"], check=True, capture_output=True, text=True)
    options = {"type": "webdav", "url": url, "vendor": "other", "user": "acme", "pass": hidden.stdout.strip()}
    remote = {"kind": "webdav", "url": url, "username": "acme", "password": "open sesame"}
    return peer.stop, options, remote, ""


class Bailee:
    """The API of a development server."""

    def __init__(self, facts):
        self.url = facts["url"] + "/v1"
        self.session = requests.Session()
        self.session.verify = facts["ca_file"]
        self.session.headers["Authorization"] = f"Bearer {facts['api_key']}"
        self.session.trust_env = False

    def call(self, method, path, **what):
        answer = self.session.request(method, self.url + path, timeout=PATIENCE_SECONDS, **what)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def put(self, path, body):
        self.call("PUT", "/files/content", params={"path": path}, data=body)

    def transfer(self, source, destination):
        order = {"source": source, "destination": destination}
        made = self.call("POST", "/transfers", json=order).json()
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            status = self.call("GET", f"/transfers/{made['transfer_id']}", params={}).json()
            if status["state"] in ("completed", "failed"):
                return status
            time.sleep(0.1)
        raise RuntimeError(f"the transfer does not end: {status}")

    def hashes(self, folder):
        found, cursor = {}, None
        while True:
            query = {"path_prefix": folder, "limit": 500} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", "/files", params=query).json()
            found |= {file["path"].removeprefix(f"{folder}/"): file["hash"] for file in page["data"]}
            cursor = page["next_cursor"]
            if not cursor:
                return found


def rclone(options, *words):
    # What the machine says of the real store is not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {f"RCLONE_CONFIG_FAR_{name.upper()}": value for name, value in options.items()}
    line = ["rclone", "--config", os.devnull, "--retries", "1", *words]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}: {done.stderr}")
    return done.stdout


def hashes_below(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def both_ways(bailee, name, peer, root):
    """The checks of one protocol: what, and whether it holds."""
    stop, options, remote, base = peer
    try:
        bailee.call("POST", "/remotes", json=remote | {"name": name})
        chance = random.Random(name)
        files = {path: size for path, size in FILES.items() if name != "webdav" or path != CUT_BY_WEBDAV}
        bodies = {path: chance.randbytes(size) for path, size in files.items()}
        wanted = {path: hashlib.sha256(body).hexdigest() for path, body in bodies.items()}

        ours = root / "ours"
        for path, body in bodies.items():
            (ours / path).parent.mkdir(parents=True, exist_ok=True)
            (ours / path).write_bytes(body)
        rclone(options, "copy", str(ours), f"far:{base}/from-rclone")
        fetched = bailee.transfer(f"{name}:/from-rclone/", f"/{name}/fetched/")
        yield f"{name}: Bailee reads what rclone wrote", fetched["outcome"], "succeeded"
        yield f"{name}: with its content", bailee.hashes(f"/{name}/fetched"), wanted

        for path, body in bodies.items():
            bailee.put(f"/{name}/own/{path}", body)
        sent = bailee.transfer(f"/{name}/own/", f"{name}:/from-bailee/")
        yield f"{name}: Bailee writes for rclone", sent["outcome"], "succeeded"
        theirs = root / "theirs"
        rclone(options, "copy", f"far:{base}/from-bailee", str(theirs))
        yield f"{name}: rclone reads what Bailee wrote", hashes_below(theirs), wanted
        listed = json.loads(rclone(options, "lsjson", "-R", "--files-only", f"far:{base}/from-bailee"))
        sizes = {file["Path"]: file["Size"] for file in listed}
        yield f"{name}: nothing else is there", sizes, files
        again = rclone(options, "check", str(ours), f"far:{base}/from-bailee", "--download", "--combined", "-")
        differing = [line for line in again.splitlines() if not line.startswith("= ")]
        yield f"{name}: rclone check agrees", differing, []
    finally:
        stop()


def run():
    passed = failed = 0
    unlimited = [f"rate_limits.{name}=1000000" for name in NO_LIMITS]
    with Server(*unlimited) as server:
        bailee = Bailee(server.facts)
        for name, peer in (("s3", s3), ("sftp", sftp), ("webdav", webdav)):
            with tempfile.TemporaryDirectory(prefix="bailee-rclone-") as folder:
                root = Path(folder)
                try:
                    for what, found, wanted in both_ways(bailee, name, peer(root), root):
                        is_right = found == wanted
                        passed, failed = passed + is_right, failed + (not is_right)
                        print(f"{'ok' if is_right else 'FAIL'} {what}", flush=True)
                        if not is_right:
                            print(f"  found {found}\n  wanted {wanted}")
                except (RuntimeError, requests.RequestException, subprocess.TimeoutExpired) as error:
                    failed += 1
                    print(f"FAIL {name}: {error}")
    return passed, failed


if __name__ == "__main__":
    well, ill = run()
    print(f"{well} passed, {ill} failed")
    sys.exit(1 if ill else 0)
