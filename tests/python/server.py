"""A development server, and an OpenSSH server, that live as long as the `with` block."""

import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

READY_SECONDS = 60
NO_LIMITS = ("read", "write", "auth", "status")


class Server:
    """`bailee serve --dev` in a folder of its own; `settings` go to it as `--set`."""

    def __init__(self, *settings):
        self.settings = settings

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bailee-python-")
        root = Path(self.folder.name)
        line = [os.environ["BAILEE_BIN"], "serve", "--dev", "--data", str(root / "data"), "--listen", "127.0.0.1:0"]
        for setting in self.settings:
            line += ["--set", setting]
        self.log = (root / "log").open("w+b")
        # The profile of the command line is written below XDG_CONFIG_HOME: not into the home of who runs the tests.
        environment = os.environ | {"XDG_CONFIG_HOME": str(root / "config")}
        self.process = subprocess.Popen(line, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.facts = self._wait(root / "data" / "dev.json")
        return self

    def _wait(self, path):
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if path.is_file() and "ready address=" in self.printed():
                return json.loads(path.read_text())
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self.printed()}")

    def printed(self):
        return Path(self.log.name).read_text(errors="replace")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


class Sshd:
    """A real OpenSSH server on loopback with its own keys; `files` is a folder that it may write."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bailee-sshd-")
        root = Path(self.folder.name)
        self.files = root / "files"
        self.files.mkdir()
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where a server run by root parks its unprivileged half
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root / name], check=True)
        (root / "authorized").write_text((root / "client.pub").read_text())
        self.private_key = (root / "client").read_text()
        self.host_key = (root / "host.pub").read_text().strip()
        self.user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        self.port = free_port()
        (root / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {root}/host\nPidFile none\n"
            f"AuthorizedKeysFile {root}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nMaxStartups 100\nSubsystem sftp internal-sftp\nLogLevel ERROR\n"
        )
        self.log = (root / "log").open("wb")
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", root / "config"], stderr=self.log)
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    if line.recv(4) == b"SSH-":
                        return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("sshd did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
