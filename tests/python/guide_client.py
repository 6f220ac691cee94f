"""The client of the integration guide, by plain `requests`, and what it must find (wire contract, acceptance 1 to 10).

The functions in `Guide` do what the published guide does: no SDK, statuses checked only where the guide checks them,
bodies of resumed downloads appended unseen.
"""

import concurrent.futures
import hashlib
import hmac
import http.server
import json
import os
import queue
import re
import socket
import ssl
import threading
import time
import urllib.parse

import requests
import standardwebhooks

PART = 5 * 1024 * 1024
POLL_SECONDS = 0.2  # the guide waits 5 s; the loops here are shortened
PATIENCE = 120


class Guide:
    """What the guide's developer writes."""

    def __init__(self, server, mount, key):
        self.base = server.url + mount
        self.session = server.session(key)
        self.server = server
        self.key = key

    def validate(self):
        answer = self.session.get(f"{self.base}/auth/validate", timeout=10)
        if answer.status_code == 401:
            raise PermissionError("bad key")
        if answer.status_code == 403:
            raise PermissionError("no permission")
        return answer.json()

    def upload(self, name, content, destination, overwrite="false", fields_first=True):
        file = ("file", (name, content))
        data = [("destination", (None, destination)), ("overwrite", (None, overwrite))]
        parts = [*data, file] if fields_first else [file, *data]
        answer = self.session.post(f"{self.base}/files/upload", files=parts, timeout=300)
        if answer.status_code != 201:
            raise RuntimeError(f"upload failed: {answer.status_code} {answer.text}")
        return answer.json()

    def upload_in_parts(self, name, content, destination, trouble=()):
        opened = self.session.post(
            f"{self.base}/uploads", json={"destination": destination, "filename": name, "size": len(content)}, timeout=60
        )
        assert opened.status_code == 201, opened.text
        session_id = opened.json()["session_id"]
        pieces = [content[at : at + PART] for at in range(0, len(content), PART)]
        for index, piece in enumerate(pieces):
            if ("cut", index) in trouble:
                self.cut_part(session_id, index, piece)
            for _ in range(2 if ("twice", index) in trouble else 1):
                sent = self.session.put(f"{self.base}/uploads/{session_id}/parts/{index}", data=piece, timeout=300)
                assert sent.status_code == 200, sent.text
        done = self.session.post(f"{self.base}/uploads/{session_id}/complete", json={}, timeout=300)
        assert done.status_code == 201, done.text
        return done.json()

    def cut_part(self, session_id, index, piece):
        """Sends half of a part and loses the connection."""
        url = urllib.parse.urlsplit(f"{self.base}/uploads/{session_id}/parts/{index}")
        context = ssl.create_default_context(cafile=self.server.ca_file)
        line = context.wrap_socket(
            socket.create_connection((url.hostname, url.port), timeout=30), server_hostname=url.hostname
        )
        head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {self.key}\r\n"
        line.sendall(f"{head}Content-Length: {len(piece)}\r\n\r\n".encode())
        line.sendall(piece[: len(piece) // 2])
        line.close()

    def download(self, file_id, headers=None):
        got = 0
        body = bytearray()
        answer = self.session.get(
            f"{self.base}/files/{file_id}/download", headers=headers or {}, stream=True, timeout=300
        )
        answer.raise_for_status()
        total = int(answer.headers["Content-Length"])
        for chunk in answer.iter_content(65536):
            got += len(chunk)
            body += chunk
        assert got == total, f"{got} of {total}: progress does not end at 100 %"
        return bytes(body), answer

    def resume(self, file_id, local, session=None):
        """Appends whatever comes, as the guide does."""
        session = session or self.session
        answer = session.get(
            f"{self.base}/files/{file_id}/download",
            headers={"Range": f"bytes={len(local)}-"},
            stream=True,
            timeout=300,
        )
        for chunk in answer.iter_content(65536):
            local += chunk
        return answer.status_code

    def transfer(self, source, destination, **more):
        wish = {"source": source, "destination": destination, "notify_on_completion": True, **more}
        answer = self.session.post(f"{self.base}/transfers", json=wish, timeout=30)
        assert answer.status_code == 202, answer.text
        return answer.json()["transfer_id"]

    def poll(self, transfer_id, limit=PATIENCE):
        begun = time.monotonic()
        while time.monotonic() - begun < limit:
            answer = self.session.get(f"{self.base}/transfers/{transfer_id}/status", timeout=10)
            assert answer.status_code == 200, answer.text
            status = answer.json()
            if status["state"] in ("completed", "failed"):
                return status
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"no end: {status}")


class Receiver:
    """The guide's receiver: verifies the hex HMAC of the exact body, answers 200 or 401."""

    def __init__(self):
        self.secret = None
        self.refuse = 0
        self.received = queue.Queue()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                good = outer.is_genuine(body, self.headers.get("X-Signature", ""))
                status = 200 if good else 401
                if outer.refuse:
                    outer.refuse -= 1
                    status = 401
                outer.received.put((dict(self.headers.items()), body, good))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def is_genuine(self, body, signature):
        expected = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, signature)

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def check_1_validate(guide):
    told = guide.validate()
    assert told["valid"] is True and told["auth_method"] == "api_key", told
    for key, reason in (("bailee_dev_wrong", "bad key"), (restricted_key(guide), "no permission")):
        try:
            Guide(guide.server, guide.base.removeprefix(guide.server.url), key).validate()
        except PermissionError as error:
            assert str(error) == reason, error
        else:
            raise AssertionError(f"{reason} was not told")


def restricted_key(guide):
    wish = {"name": "elsewhere", "scopes": ["files:read"], "allowed_networks": ["192.0.2.0/24"]}
    return guide.session.post(f"{guide.base}/api-keys", json=wish, timeout=30).json()["api_key"]


def check_2_upload(guide, folder):
    first, second = b"name;amount\nann;1\n", b"name;amount\nbob;2\n"
    made = guide.upload("report.csv", first, folder)
    assert made["hash"] == sha256(first) and made["version"] == 1, made
    after = guide.upload("after.csv", first, folder, fields_first=False)
    assert after["path"] == f"/{folder}/after.csv", after
    try:
        guide.upload("report.csv", second, folder)
    except RuntimeError as error:
        assert "409" in str(error), error
    else:
        raise AssertionError("a taken path was overwritten")
    newer = guide.upload("report.csv", second, folder, overwrite="true")
    assert newer["version"] == 2 and newer["file_id"] != made["file_id"], newer
    assert guide.download(made["file_id"])[0] == first
    assert guide.download(newer["file_id"])[0] == second


def check_3_parts(guide, folder):
    content = os.urandom(12 * 1024 * 1024)
    made = guide.upload_in_parts("big.bin", content, folder, {("twice", 1), ("cut", 2)})
    assert made["hash"] == sha256(content), "the parts were joined wrongly"
    assert guide.download(made["file_id"])[0] == content
    shown = guide.session.get(f"{guide.base}/files/{made['file_id']}", timeout=30).json()
    assert shown["hash"] == sha256(content)
    empty = guide.upload_in_parts("empty.bin", b"", folder)
    assert empty["size"] == 0 and empty["hash"] == sha256(b""), empty
    return made["file_id"], content


def check_4_download(guide, file_id, content):
    for encoding in ("identity", "gzip", "gzip, deflate, br"):
        body, answer = guide.download(file_id, {"Accept-Encoding": encoding})
        assert body == content
        assert "Content-Encoding" not in answer.headers, answer.headers
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["ETag"] == f'"{sha256(content)}"'


def check_5_resume(guide, folder, file_id, content):
    for start in (0, 1, len(content) // 2, len(content) - 1):
        local = bytearray(content[:start])
        assert guide.resume(file_id, local) == 206
        assert local == content, f"resumed from {start}"
    whole = bytearray(content)
    for _ in range(2):
        assert guide.resume(file_id, whole) == 416
        assert whole == content, "something was appended to a complete file"
    half = bytearray(content[: len(content) // 2])
    before = bytes(half)
    wrong = guide.server.session("bailee_dev_wrong")
    assert guide.resume(file_id, half, wrong) == 401
    assert half == before, "an error was appended"
    gone = guide.upload("gone.bin", content[:100_000], folder)
    guide.session.delete(f"{guide.base}/files/{gone['file_id']}", timeout=30)
    local = bytearray(content[:50_000])
    assert guide.resume(gone["file_id"], local) == 404
    assert local == content[:50_000], "an error was appended"


def add_remotes(guide):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    near = {"name": "near", "kind": "local", "folder": str(guide.server.exchange)}
    gone = {"name": "gone", "kind": "sftp", "host": "127.0.0.1", "port": port, "username": "u", "password": "p"}
    gone["host_key"] = "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI"
    for wish in (near, gone):
        made = guide.session.post(f"{guide.base}/remotes", json=wish, timeout=30)
        assert made.status_code in (201, 409), made.text


def check_6_transfers(guide, folder):
    content = os.urandom(100_000)
    guide.upload("out.bin", content, folder)
    status = guide.poll(guide.transfer(f"{folder}/out.bin", f"near:/{folder}-out.bin"))
    assert status["state"] == "completed" and status["outcome"] == "succeeded", status
    assert (guide.server.exchange / f"{folder}-out.bin").read_bytes() == content
    retry = {"max_attempts": 2, "initial_delay_seconds": 1, "max_delay_seconds": 1}
    status = guide.poll(guide.transfer(f"{folder}/out.bin", "gone:/out.bin", retry=retry))
    assert status["state"] == "failed" and isinstance(status["error_message"], str), status
    assert status["outcome"] == "error", status
    waiting = guide.transfer(f"{folder}/out.bin", f"near:/{folder}-never.bin", start_at="2999-01-01T00:00:00Z")
    cancelled = guide.session.post(f"{guide.base}/transfers/{waiting}/cancel", timeout=30)
    assert cancelled.status_code == 202, cancelled.text
    status = guide.poll(waiting)
    assert status["state"] == "failed" and status["outcome"] == "cancelled", status
    assert isinstance(status["error_message"], str)
    forty_loops(guide, folder)
    return status["transfer_id"]


def forty_loops(guide, folder):
    """Forty transfers polled at once: 40 × 12 a minute is what the guide's loops make, and none may see 429."""
    start_at = "2999-01-01T00:00:00Z"
    ids = [
        guide.transfer(f"{folder}/out.bin", f"near:/{folder}-loop-{number}.bin", start_at=start_at)
        for number in range(40)
    ]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        # Ten polls of each loop: 400 reads within moments, as many as the guide makes in 50 seconds.
        urls = [f"{guide.base}/transfers/{id}/status" for _ in range(10) for id in ids]
        statuses = set(pool.map(lambda url: guide.session.get(url, timeout=30).status_code, urls))
        assert statuses == {200}, statuses
        list(pool.map(lambda id: guide.session.post(f"{guide.base}/transfers/{id}/cancel", timeout=30), ids))


def check_7_webhook(guide, folder):
    receiver = Receiver()
    try:
        wish = {"url": receiver.url, "types": ["transfer.completed"]}
        made = guide.session.post(f"{guide.base}/webhooks", json=wish, timeout=30)
        assert made.status_code == 201, made.text
        receiver.secret = made.json()["secret"]
        receiver.refuse = 1
        transfer_id = guide.transfer(f"{folder}/out.bin", f"near:/{folder}-hooked.bin")
        headers, body, good = receiver.received.get(timeout=PATIENCE)
        assert good, "the hex signature does not fit"
        event = json.loads(body)
        assert event["transfer_id"] == transfer_id and event["status"] == "completed", event
        changed = body.replace(b"completed", b"c0mpleted", 1)
        assert not receiver.is_genuine(changed, headers["x-signature"])
        # It was answered 401, so it comes again under the same id.
        again, body_again, good = receiver.received.get(timeout=PATIENCE)
        assert good and body_again == body
        assert again["webhook-id"] == headers["webhook-id"]
        verifier = standardwebhooks.Webhook(receiver.secret)
        verifier.verify(body, {name.lower(): value for name, value in again.items()})
        try:
            verifier.verify(changed, {name.lower(): value for name, value in again.items()})
        except standardwebhooks.WebhookVerificationError:
            pass
        else:
            raise AssertionError("a changed body was accepted")
    finally:
        guide.session.delete(f"{guide.base}/webhooks/{made.json()['webhook_id']}", timeout=30)
        receiver.stop()
    return transfer_id


def check_8_flood(guide):
    wish = {"name": "flood", "scopes": ["files:read"], "limits": {"reads_per_minute": 5}}
    key = guide.session.post(f"{guide.base}/api-keys", json=wish, timeout=30).json()["api_key"]
    session = guide.server.session(key)
    for _ in range(20):
        answer = session.get(f"{guide.base}/files", timeout=30)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429, "the flood was not stopped"
    wait = int(answer.headers.get("Retry-After", 60))
    assert answer.json()["retry_after"] == wait
    time.sleep(wait)
    answer = session.get(f"{guide.base}/files", timeout=30)
    assert answer.status_code == 200, f"after {wait} s: {answer.status_code}"


def check_9_audit(guide, transfer_id):
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        records = guide.session.get(f"{guide.base}/audit?transfer_id={transfer_id}", timeout=30).json()["data"]
        created = [record for record in records if record["operation"] == "transfers.create"]
        if created:
            break
        time.sleep(POLL_SECONDS)
    record = created[0]
    for key in ("timestamp", "transfer_id", "operation", "user", "status", "ip_address"):
        assert key in record, record
    assert list(record)[:6] == ["timestamp", "transfer_id", "operation", "user", "status", "ip_address"], record
    assert record["timestamp"].endswith("Z") and record["ip_address"] == "127.0.0.1", record
    assert record["status"] == "success" and record["transfer_id"] == transfer_id, record


def check_10_mounts(server, key):
    """Both mounts answer every operation alike: refused without a key, with objects that do not exist, with a typo."""
    document = requests.get(f"{server.url}/openapi.json", verify=server.ca_file, timeout=30).json()
    good, nobody = server.session(key), server.session(key)
    del nobody.headers["Authorization"]
    compared = 0
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "put", "post", "patch", "delete", "head"}:
            filled = re.sub(r"\{[^}]*\}", "0", path)
            for session, query in ((nobody, ""), (good, "?surprise=1")):
                answers = [
                    session.request(method, f"{server.url}{mount}{filled}{query}", timeout=30) for mount in ("", "/v1")
                ]
                seen = [essence(answer) for answer in answers]
                assert seen[0] == seen[1], f"{method} {path}: {seen[0]} is not {seen[1]}"
                compared += 1
    assert compared > 150, compared


def essence(answer):
    body = answer.text
    if "json" in answer.headers.get("Content-Type", ""):
        body = {name: value for name, value in answer.json().items() if name not in ("request_id", "decision_id")}
    headers = {name: answer.headers.get(name) for name in ("Content-Type", "Allow", "WWW-Authenticate", "Bailee-Problem")}
    return answer.status_code, headers, body


def run(server):
    """Yields (name, check) for the driver: each is called once and fails by raising."""
    for mount in ("", "/v1"):
        guide = Guide(server, mount, server.key)
        folder = "guide-root" if mount == "" else "guide-v1"
        kept = {}

        def three():
            kept["file"] = check_3_parts(guide, folder)

        def six():
            add_remotes(guide)
            check_6_transfers(guide, folder)

        def seven():
            kept["transfer"] = check_7_webhook(guide, folder)

        checks = [
            ("1 validate", lambda: check_1_validate(guide)),
            ("2 upload", lambda: check_2_upload(guide, folder)),
            ("3 parts", three),
            ("4 download", lambda: check_4_download(guide, *kept["file"])),
            ("5 resume", lambda: check_5_resume(guide, folder, *kept["file"])),
            ("6 transfers", six),
            ("7 webhook", seven),
            ("8 flood", lambda: check_8_flood(guide)),
            ("9 audit", lambda: check_9_audit(guide, kept["transfer"])),
        ]
        for name, check in checks:
            yield f"guide {name} under {mount or '/'}", check
    yield "guide 10 mounts", lambda: check_10_mounts(server, server.key)
