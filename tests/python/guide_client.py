"""The acceptance test of the wire contract: the guide's style of client, under `/` and again under `/v1`.

    BAILEE_BIN=target/debug/bailee python tests/python/guide_client.py [--size BYTES] [--only WORD]

starts what it needs (two servers, an OpenSSH server, a webhook receiver), prints a line per point and mount, and ends
with `N passed, N failed`.
"""

import argparse
import hashlib
import os
import random
import sys
import tempfile
import threading
import time
import traceback
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import standardwebhooks

from guide import PART_BYTES, GuideClient, sha256
from mounts import compare_mounts
from receiver import Receiver, verify
from server import NO_LIMITS, Server, Sshd, free_port

SESSION_BYTES = 12 * 1024 * 1024
POLL_LOOPS = 40
POLLS_EACH = 12  # at the guide's pace of one in 5 s, what a loop asks in a minute
FLOOD_LIMIT = 5
FLOOD_WINDOW_SECONDS = 5


class World:
    """What the points share: the servers, a client of the mount under test and a folder that no other point uses."""

    def __init__(self, server, flooded, sshd, mount, size):
        self.facts, self.flooded, self.sshd = server.facts, flooded.facts, sshd
        self.mount, self.size = mount, size
        self.client = self.client_of(self.facts["api_key"])
        self.folder = f"guide-{uuid.uuid4().hex[:8]}"

    def client_of(self, key):
        return GuideClient(self.facts["url"] + self.mount, key)

    def stored(self, name, content):
        answer = self.client.upload(name, content, self.folder)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def key(self, **more):
        wish = {"name": "guide", "scopes": ["files:read", "files:write"]} | more
        answer = self.client.call("POST", "/api-keys", json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def remote(self, **more):
        name = f"bank-{uuid.uuid4().hex[:8]}"
        answer = self.client.call("POST", "/remotes", json={"kind": "sftp", "name": name} | more)
        assert answer.status_code == 201, answer.text
        return name

    def bank(self):
        sshd = self.sshd
        return self.remote(host="127.0.0.1", port=sshd.port, username=sshd.user, private_key=sshd.private_key,
                           host_key=sshd.host_key, base_path=str(sshd.files))


def point_1_validate(world):
    identity = world.client.validate()
    assert identity["valid"] is True and identity["auth_method"] == "api_key", identity
    assert identity["tenant_id"] == world.facts["tenant_id"], identity
    assert world.client_of("bailee_dev_wrong").validate() == "bad key"
    restricted = world.key(allowed_networks=["203.0.113.0/24"])
    assert world.client_of(restricted["api_key"]).validate() == "no permission"
    revoked = world.key()
    assert world.client_of(revoked["api_key"]).validate()["key_id"] == revoked["key_id"]
    assert world.client.call("DELETE", f"/api-keys/{revoked['key_id']}").status_code == 204
    assert world.client_of(revoked["api_key"]).validate() == "bad key"
    refused = world.client_of("bailee_dev_wrong").call("GET", "/auth/validate")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "credential_invalid" and refused.json()["retryable"] is False


def point_2_upload(world):
    for order, upload in enumerate((world.client.upload, world.client.upload_fields_last)):
        name, first, second = f"report-{order}.csv", b"id,amount\n1,10\n", b"id,amount\n1,11\n"
        answer = upload(name, first, world.folder)
        assert answer.status_code == 201, answer.text
        file = answer.json()
        assert answer.headers["Location"] == f"/v1/files/{file['file_id']}"
        assert file["path"] == f"/{world.folder}/{name}" and file["size"] == len(first), file
        assert file["hash"] == sha256(first) and file["hash_algorithm"] == "sha256", file
        answer = upload(name, second, world.folder)
        assert answer.status_code == 409 and answer.json()["code"] == "file_exists", answer.text
        answer = upload(name, second, world.folder, overwrite=True)
        assert answer.status_code == 201, answer.text
        newer = answer.json()
        assert newer["file_id"] != file["file_id"] and newer["version"] == 2, newer
        assert world.client.download(file["file_id"])[0] == first
        assert world.client.download(newer["file_id"])[0] == second


def point_3_parts(world):
    client, digest = world.client, hashlib.sha256()
    count = -(-world.size // PART_BYTES)
    session = client.open_session("big.bin", world.folder)
    for index in range(count):
        length = min(PART_BYTES, world.size - index * PART_BYTES)
        part = random.Random(index).randbytes(length)
        digest.update(part)
        if index == 1:
            client.put_part(session, index, b"overwritten")
        if index == 2:
            client.cut_part(session, index, part)
        told = client.put_part(session, index, part)
        assert told == {"part": index, "size": length, "hash": sha256(part)}, told
    held = client.call("GET", f"/uploads/{session}").json()
    assert held["received"] == list(range(count)) and held["bytes_received"] == world.size, held
    answer = client.complete(session, digest.hexdigest())
    assert answer.status_code == 201, answer.text
    file = answer.json()
    again = client.complete(session, digest.hexdigest())
    assert again.status_code == 201 and again.json()["file_id"] == file["file_id"], again.text
    told = client.call("GET", f"/files/{file['file_id']}").json()
    assert told["hash"] == digest.hexdigest() and told["size"] == world.size, told
    answer = client.complete(client.open_session("empty.bin", world.folder))
    assert answer.status_code == 201, answer.text
    assert answer.json()["size"] == 0 and answer.json()["hash"] == sha256(b""), answer.text


def point_4_download(world):
    content = b"all lines are alike\n" * 50_000  # would shrink much, were it coded
    file = world.stored("alike.txt", content)
    for encoding in (None, "gzip", "identity"):
        got, progress, headers = world.client.download(file["file_id"], encoding)
        assert got == content and progress == 100, (encoding, len(got), progress)
        assert "Content-Encoding" not in headers, headers
        assert headers["Accept-Ranges"] == "bytes" and headers["ETag"] == f'"{file["hash"]}"', headers
        assert headers["Cache-Control"] == "private, no-transform", headers


def point_5_resume(world):
    content = random.Random(5).randbytes(3 * 1024 * 1024 + 7)
    file, empty = world.stored("resumed.bin", content), world.stored("nothing.bin", b"")
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / "local"
        assert world.client.resume(file["file_id"], local).status_code == 206  # from 0
        assert local.read_bytes() == content
        local.write_bytes(content[:1_234_567])
        answer = world.client.resume(file["file_id"], local)
        assert answer.headers["Content-Range"] == f"bytes 1234567-{len(content) - 1}/{len(content)}"
        assert local.read_bytes() == content
        for _ in range(2):
            answer = world.client.resume(file["file_id"], local)
            assert answer.status_code == 416, answer.status_code
            assert answer.headers["Content-Range"] == f"bytes */{len(content)}", answer.headers
            assert answer.headers["Content-Length"] == "0"
        local.write_bytes(content[:99])
        answer = world.client_of("bailee_dev_wrong").resume(file["file_id"], local)
        assert answer.status_code == 401 and answer.headers["Bailee-Problem"] == "credential_invalid"
        assert world.client.call("DELETE", f"/files/{file['file_id']}").status_code == 204
        answer = world.client.resume(file["file_id"], local)
        assert answer.status_code == 404 and answer.headers["Bailee-Problem"] == "not_found"
        assert local.read_bytes() == content[:99]
        nothing = Path(folder) / "nothing"
        assert world.client.resume(empty["file_id"], nothing).status_code == 416
        assert nothing.read_bytes() == b""


def point_6_transfers(world):
    content = random.Random(6).randbytes(300_000)
    source, bank, name = world.stored("out.bin", content), world.bank(), f"out-{uuid.uuid4().hex[:8]}.bin"
    done = world.client.poll(world.client.submit(source["path"].lstrip("/"), f"{bank}:/{name}"))
    assert done["state"] == "completed" and done["error_message"] is None, done
    assert (world.sshd.files / name).read_bytes() == content
    done = world.client.poll(world.client.submit(f"{bank}:/{name}", f"{world.folder}/back.bin"))
    assert done["state"] == "completed" and done["bytes_done"] == len(content), done
    query = {"path": f"/{world.folder}/back.bin"}
    assert world.client.call("GET", "/files/lookup", params=query).json()["hash"] == sha256(content)
    nowhere = world.remote(host="127.0.0.1", port=free_port(), username="nobody", password="none",
                           host_key=world.sshd.host_key)
    failed = world.client.poll(
        world.client.submit(source["file_id"], f"{nowhere}:/in/out.bin", retry={"max_attempts": 1})
    )
    assert failed["state"] == "failed" and failed["outcome"] == "error", failed
    assert failed["error_message"] and failed["error_code"] == "remote_unreachable", failed


def point_6_poll_loops(world):
    """Forty loops at once: none sees 429 (`status` has its default limit here), a cancelled one ends like a failed."""
    source = world.stored("waits.bin", b"x")
    later = (datetime.now().astimezone() + timedelta(days=1)).isoformat()
    waiting = [world.client.submit(source["file_id"], f"{world.folder}/waits-{n}.bin", start_at=later)
               for n in range(POLL_LOOPS)]
    seen, outcomes = [], []

    def loop(transfer_id):
        client = world.client_of(world.facts["api_key"])
        for _ in range(POLLS_EACH):
            seen.append(client.call("GET", f"/transfers/{transfer_id}/status").status_code)
        answer = client.call("POST", f"/transfers/{transfer_id}/cancel")
        assert answer.status_code == 202, answer.text
        outcomes.append(client.poll(transfer_id))

    loops = [threading.Thread(target=loop, args=(transfer_id,)) for transfer_id in waiting]
    for thread in loops:
        thread.start()
    for thread in loops:
        thread.join()
    assert seen == [200] * (POLL_LOOPS * POLLS_EACH), sorted(set(seen))
    assert len(outcomes) == POLL_LOOPS, f"{len(outcomes)} loops ended"
    for status in outcomes:
        assert (status["state"], status["outcome"]) == ("failed", "cancelled"), status
        assert isinstance(status["error_message"], str) and status["error_message"], status


def point_7_webhook(world):
    source = world.stored("told.bin", b"told")
    with Receiver(refuse=1) as receiver:
        wish = {"url": receiver.url, "types": ["transfer.completed"]}
        answer = world.client.call("POST", "/webhooks", json=wish)
        assert answer.status_code == 201, answer.text
        receiver.secret = answer.json()["secret"]
        transfer = world.client.submit(source["file_id"], f"{world.folder}/told-2.bin")
        assert world.client.poll(transfer)["state"] == "completed"
        refused, taken = receiver.wait(2, 40)[:2]
        assert world.client.call("DELETE", f"/webhooks/{answer.json()['webhook_id']}").status_code == 204
    assert (refused[2], taken[2]) == (401, 200), (refused[2], taken[2])
    assert refused[0]["webhook-id"] == taken[0]["webhook-id"]
    assert taken[3] - refused[3] >= 4, f"tried again after {taken[3] - refused[3]:.1f} s"
    headers, body = taken[0], taken[1]
    library = standardwebhooks.Webhook(receiver.secret)
    told = library.verify(body, headers)
    assert told["transfer_id"] == transfer and told["status"] == "completed", told
    assert told["type"] == "transfer.completed", told
    changed = body.replace(b"completed", b"complete!", 1)
    assert not verify(receiver.secret, changed, headers["x-signature"])
    try:
        library.verify(changed, headers)
    except standardwebhooks.WebhookVerificationError:
        pass
    else:
        raise AssertionError("the library took a changed body")


def point_7_vector(_):
    """The test vector that the contract publishes."""
    secret = "whsec_YmFpbGVlLWV4YW1wbGUtd2ViaG9vay1zZWNyZXQtMDE="
    body = b'{"type":"transfer.completed","transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","status":"completed"}'
    assert verify(secret, body, "4907a2aa0c52fa341b972ed59fc246a9d6788bebff8bcb48ae9c61cc5153dcea")
    at = datetime.fromtimestamp(1795252443).astimezone()
    signature = standardwebhooks.Webhook(secret).sign("evt_01m7yp4nesedqrb018tr4sjm6r", at, body.decode())
    assert signature == "v1,+X+F2v/DezzNiKhjwLiaUOtY2anLHg5O/ZM7NbDlxuI=", signature


def point_8_flood(world):
    client = GuideClient(world.flooded["url"] + world.mount, world.flooded["api_key"])
    os.environ["REQUESTS_CA_BUNDLE"] = world.flooded["ca_file"]
    try:
        codes = []
        while 429 not in codes and len(codes) <= 2 * FLOOD_LIMIT:
            answer = client.call("GET", "/auth/validate")
            codes.append(answer.status_code)
        assert codes[-1] == 429 and set(codes[:-1]) <= {200}, codes
        wait = int(answer.headers.get("Retry-After", 60))
        assert 1 <= wait <= 2 * FLOOD_WINDOW_SECONDS, wait
        problem = answer.json()
        assert problem["retryable"] is True and problem["retry_after"] == wait, problem
        time.sleep(wait)
        answer = client.call("GET", "/auth/validate")
        assert answer.status_code == 200, f"{answer.status_code} after {wait} s"
    finally:
        os.environ["REQUESTS_CA_BUNDLE"] = world.facts["ca_file"]


def point_9_audit(world):
    source = world.stored("audited.bin", b"audited")
    transfer = world.client.submit(source["file_id"], f"{world.folder}/audited-2.bin")
    assert world.client.poll(transfer)["state"] == "completed"
    answer = world.client.call("GET", "/audit", params={"transfer_id": transfer})
    assert answer.status_code == 200, answer.text
    records = {record["operation"]: record for record in answer.json()["data"]}
    assert {"transfers.create", "transfers.complete"} <= records.keys(), records.keys()
    for record in records.values():
        first = list(record)[:6]
        assert first == ["timestamp", "transfer_id", "operation", "user", "status", "ip_address"], first
        assert record["transfer_id"] == transfer and record["status"] == "success" and record["user"], record
        at = datetime.fromisoformat(record["timestamp"])
        assert record["timestamp"].endswith("Z") and at.utcoffset() == timedelta(0), record
    assert records["transfers.create"]["ip_address"] == "127.0.0.1", records["transfers.create"]


def point_10_mounts(world):
    compare_mounts(world.facts["url"], world.facts["api_key"])


POINTS = [point_1_validate, point_2_upload, point_3_parts, point_4_download, point_5_resume, point_6_transfers,
          point_6_poll_loops, point_7_webhook, point_7_vector, point_8_flood, point_9_audit, point_10_mounts]


def run(size=SESSION_BYTES, only=""):
    """Runs the points under both mounts; gives how many passed and failed."""
    passed, failed = 0, 0
    # `status` keeps its default: that forty loops fit into it is part of the contract.
    large = [f"rate_limits.{name}=1000000" for name in NO_LIMITS if name != "status"]
    small = [f"rate_limits.auth={FLOOD_LIMIT}", f"rate_limits.window_seconds={FLOOD_WINDOW_SECONDS}"]
    with Server(*large) as server, Server(*small) as flooded, Sshd() as sshd:
        os.environ["REQUESTS_CA_BUNDLE"] = server.facts["ca_file"]
        for mount in ("", "/v1"):
            world = World(server, flooded, sshd, mount, size)
            for point in (point for point in POINTS if only in point.__name__):
                begun = time.monotonic()
                try:
                    point(world)
                    passed, outcome = passed + 1, "ok"
                except Exception:
                    traceback.print_exc()
                    failed, outcome = failed + 1, "FAILED"
                print(f"{outcome:6} {mount or '/':4} {point.__name__} {time.monotonic() - begun:.1f} s", flush=True)
        if failed:
            print(server.printed()[-5000:])
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=SESSION_BYTES, help="bytes of the file sent in parts of 5 MiB")
    parser.add_argument("--only", default="", help="only points whose name holds this")
    wish = parser.parse_args()
    passed, failed = run(wish.size, wish.only)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
