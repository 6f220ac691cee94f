"""The client of the integration guide: plain `requests`, no SDK, the calls and the habits that its text shows."""

import hashlib
import http.client
import os
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests

PART_BYTES = 5 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
POLL_SECONDS = 0.2  # the guide says 5; the answers are the same and the test is shorter
POLL_SECONDS_MAX = 60  # a transfer of the tests that takes longer hangs; the guide would poll for ever


class GuideClient:
    """`base` is the server with or without `/v1`: the client does not know which mount it uses."""

    def __init__(self, base, key):
        self.base = base
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method, path, **arguments):
        return self.session.request(method, self.base + path, timeout=300, **arguments)

    def validate(self):
        """As the guide reads it: 401 is a bad key, 403 a missing permission."""
        answer = self.call("GET", "/auth/validate")
        if answer.status_code == 401:
            return "bad key"
        if answer.status_code == 403:
            return "no permission"
        answer.raise_for_status()
        return answer.json()

    def upload(self, name, content, folder, overwrite=False):
        """The answer of a multipart upload, fields before the file."""
        fields = {"destination": folder, "overwrite": str(overwrite).lower()}
        return self.call("POST", "/files/upload", data=fields, files={"file": (name, content)})

    def upload_fields_last(self, name, content, folder, overwrite=False):
        """The same with the fields after the file."""
        parts = [("file", (name, content)), ("destination", (None, folder)),
                 ("overwrite", (None, str(overwrite).lower()))]
        return self.call("POST", "/files/upload", files=parts)

    def open_session(self, name, folder):
        answer = self.call("POST", "/uploads", json={"destination": folder, "filename": name})
        assert answer.status_code == 201, answer.text
        return answer.json()["session_id"]

    def put_part(self, session_id, index, content):
        answer = self.call("PUT", f"/uploads/{session_id}/parts/{index}", data=content)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cut_part(self, session_id, index, content):
        """Sends half of a part and drops the connection."""
        url = urlsplit(self.base)
        context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
        line = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=30)
        line.putrequest("PUT", f"{url.path}/uploads/{session_id}/parts/{index}")
        line.putheader("Authorization", self.session.headers["Authorization"])
        line.putheader("Content-Length", str(len(content)))
        line.endheaders()
        line.send(content[: len(content) // 2])
        line.close()

    def complete(self, session_id, digest=None):
        return self.call("POST", f"/uploads/{session_id}/complete", json={"hash": digest} if digest else {})

    def download(self, file_id, encoding=None):
        """The bytes and the highest progress, counted as the guide does: bytes so far by `Content-Length`."""
        headers = {"Accept-Encoding": encoding} if encoding else {}
        with self.call("GET", f"/files/{file_id}/download", headers=headers, stream=True) as answer:
            assert answer.status_code == 200, answer.text
            total = int(answer.headers["Content-Length"])
            content = bytearray()
            for chunk in answer.iter_content(CHUNK_BYTES):
                content += chunk
            return bytes(content), 100 * len(content) / total, answer.headers

    def resume(self, file_id, local: Path):
        """Appends what comes, as the guide does: the status is not looked at."""
        position = local.stat().st_size if local.exists() else 0
        headers = {"Range": f"bytes={position}-"}
        with self.call("GET", f"/files/{file_id}/download", headers=headers, stream=True) as answer:
            with local.open("ab") as file:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    file.write(chunk)
            return answer

    def submit(self, source, destination, **more):
        order = {"source": source, "destination": destination, "notify_on_completion": True} | more
        answer = self.call("POST", "/transfers", json=order)
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"] == f"/v1/transfers/{answer.json()['transfer_id']}"
        return answer.json()["transfer_id"]

    def poll(self, transfer_id):
        """Until `completed` or `failed`; no other state ends the loop."""
        until = time.monotonic() + POLL_SECONDS_MAX
        while time.monotonic() < until:
            answer = self.call("GET", f"/transfers/{transfer_id}/status")
            assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
            status = answer.json()
            if status["state"] in ("completed", "failed"):
                return status
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"{transfer_id} did not end within {POLL_SECONDS_MAX} s")


def sha256(content):
    return hashlib.sha256(content).hexdigest()
