"""The reference model: what each worker was told, and what must therefore be seen after a crash.

A worker owns a folder, so its history is a line. When the server dies, at most one call of a worker has no answer; its
effect is either all there or not there at all, and the worker adopts what it finds.
"""

import random
import threading
import time
import uuid

import requests

import kit

SMALL_SIZES = (0, 1, 4096, 65_535, 65_536, 65_537, 200_000)
PART_BYTES = 256 * 1024
LARGE_BYTES_MAX = 4 * kit.MIB
FILES_MAX = 40
PATIENCE_SECONDS = 60
# A crash must not hold an idempotency key for longer than any other service.
KEY_SECONDS_MAX = 10


class Known:
    """One file version: its id, path, size and hash."""

    def __init__(self, answer):
        self.file_id = answer["file_id"]
        self.path = answer["path"]
        self.size = answer["size"]
        self.hash = answer["hash"]


class Pending:
    """A call without an answer: what it was to do."""

    def __init__(self, kind, **facts):
        self.kind = kind
        self.facts = facts


class Ledger:
    """What all workers know together."""

    def __init__(self, bailee, verdict):
        self.bailee, self.verdict = bailee, verdict
        self.lock = threading.Lock()
        self.versions = {}
        self.deleted = set()
        self.requests = {}
        self.transfers = {}
        self.counts = {}

    def add(self, known):
        with self.lock:
            self.versions[known.file_id] = known

    def count(self, kind):
        with self.lock:
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def told(self, answer, operation):
        """An acknowledged mutating call: its audit record must be there for ever."""
        with self.lock:
            self.requests[answer.headers["X-Request-Id"]] = operation
        self.count(operation)


class Worker:
    def __init__(self, number, seed, ledger, far_folder):
        self.number, self.ledger, self.far_folder = number, ledger, far_folder
        self.chance = random.Random(f"{seed}-{number}")
        self.folder = f"/w{number}"
        self.files = {}
        self.pending = None
        self.upload = None
        self.counter = 0
        self.touched = set()

    def run(self, stop):
        """Calls until the server is gone."""
        self.touched = set()
        self.session = self.ledger.bailee.session()
        self.url = self.ledger.bailee.url
        try:
            while not stop.is_set():
                self.step()
        except requests.RequestException:
            return
        finally:
            self.session.close()

    def step(self):
        steps = {
            self.put: 6, self.form: 3, self.put_large: 2, self.parts: 4, self.delete: 3, self.move: 2,
            self.copy: 2, self.download: 4, self.send: 1, self.fetch: 1, self.make_folder: 1,
        }
        self.chance.choices(list(steps), steps.values())[0]()

    def call(self, method, path, wanted, operation=None, **options):
        """One call. None if the answer is not one of `wanted`, which is a failure."""
        answer = self.session.request(method, self.url + path, timeout=PATIENCE_SECONDS, **options)
        if answer.status_code not in wanted:
            text = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
            self.ledger.verdict.check(False, text)
            self.pending = None
            return None
        if operation:
            self.ledger.told(answer, operation)
        return answer

    def name(self):
        self.counter += 1
        return f"{self.folder}/{self.chance.choice('abc')}/{self.counter}.bin"

    def body(self, size):
        self.counter += 1
        return kit.content(self.number * 1_000_000 + self.counter, size)

    def adopt(self, known):
        self.ledger.add(known)
        self.files[known.path] = known
        self.touched.add(known.path)
        self.pending = None

    def pick(self):
        return self.chance.choice(list(self.files.values())) if self.files else None

    # What a worker does.

    def put(self, size=None):
        known = self.pick() if self.chance.random() < 0.3 else None
        path = known.path if known else self.name()
        data = self.body(self.chance.choice(SMALL_SIZES) if size is None else size)
        self.pending = Pending("write", path=path, before=known, hash=kit.sha256(data))
        answer = self.call(
            "PUT", "/files/content", {200 if known else 201}, "files.write_content",
            params={"path": path}, data=data,
        )
        self.placed(answer, path, data)

    def put_large(self):
        self.put(self.chance.randrange(kit.MIB, LARGE_BYTES_MAX))

    def form(self):
        path, data = self.name(), self.body(self.chance.choice(SMALL_SIZES))
        folder, name = path.rsplit("/", 1)
        self.pending = Pending("write", path=path, before=None, hash=kit.sha256(data))
        answer = self.call(
            "POST", "/files/upload", {201}, "files.upload",
            data={"destination": folder, "overwrite": "false"}, files={"file": (name, data)},
        )
        self.placed(answer, path, data)

    def placed(self, answer, path, data):
        if answer is None:
            return
        found = Known(answer.json())
        same = (found.path, found.size, found.hash) == (path, len(data), kit.sha256(data))
        self.ledger.verdict.check(same, f"{path}: answer does not match what was sent")
        self.adopt(found)

    def parts(self):
        """Goes on with the open session, or opens one, and completes it."""
        if self.upload is None:
            path = self.name()
            size = self.chance.randrange(1, 8 * PART_BYTES)
            data = self.body(size)
            folder, name = path.rsplit("/", 1)
            order = {"destination": folder, "filename": name, "part_size": 65_536}
            answer = self.call("POST", "/uploads", {201}, "uploads.create", json=order)
            if answer is None:
                return
            blocks = [data[at : at + PART_BYTES] for at in range(0, size, PART_BYTES)]
            order = list(range(len(blocks)))
            if self.chance.random() < 0.5:
                self.chance.shuffle(order)
            self.upload = {
                "id": answer.json()["session_id"], "path": path, "blocks": blocks, "order": order,
                "held": set(), "hash": kit.sha256(data), "size": size,
            }
        upload = self.upload
        for number in upload["order"]:
            if number in upload["held"]:
                continue
            block = upload["blocks"][number]
            put = self.call("PUT", f"/uploads/{upload['id']}/parts/{number}", {200}, data=block)
            if put is None:
                self.upload = None
                return
            upload["held"].add(number)
            self.ledger.count("uploads.put_part")
        # A repetition changes nothing and need not be told again.
        operation = None if upload.get("is_done") else "uploads.complete"
        done = self.call(
            "POST", f"/uploads/{upload['id']}/complete", {201}, operation,
            json={"hash": upload["hash"]},
        )
        self.upload = None
        self.placed(done, upload["path"], b"".join(upload["blocks"]))

    def delete(self):
        known = self.pick()
        if known is None or len(self.files) < FILES_MAX / 2:
            return
        self.pending = Pending("delete", before=known)
        if self.chance.random() < 0.5:
            answer = self.call("DELETE", f"/files/{known.file_id}", {204}, "files.delete")
        else:
            at = {"path": known.path}
            answer = self.call("DELETE", "/files/content", {204}, "files.delete_content", params=at)
        if answer is not None:
            self.vanished(known)

    def vanished(self, known):
        self.ledger.deleted.add(known.file_id)
        self.files.pop(known.path, None)
        self.touched.add(known.path)
        self.pending = None

    def move(self):
        known = self.pick()
        if known is None:
            return
        target = self.name()
        self.pending = Pending("move", before=known, target=target)
        answer = self.call(
            "PATCH", f"/files/{known.file_id}", {200}, "files.update", json={"path": target}
        )
        if answer is not None:
            self.moved(known, target)

    def moved(self, known, target):
        self.files.pop(known.path, None)
        self.touched |= {known.path, target}
        known.path = target
        self.files[target] = known
        self.pending = None

    def copy(self):
        known = self.pick()
        if known is None or len(self.files) > FILES_MAX:
            return
        target = self.name()
        self.pending = Pending("write", path=target, before=None, hash=known.hash)
        answer = self.call(
            "POST", f"/files/{known.file_id}/copy", {201}, "files.copy", json={"path": target}
        )
        if answer is not None:
            found = Known(answer.json())
            self.ledger.verdict.check(found.hash == known.hash, f"{target}: copy differs")
            self.adopt(found)

    def download(self):
        known = self.pick()
        if known is None:
            return
        self.read(known)
        if known.size > 10:
            at = self.chance.randrange(known.size)
            part = self.call(
                "GET", f"/files/{known.file_id}/download", {206}, headers={"Range": f"bytes={at}-"}
            )
            if part is not None:
                same = len(part.content) == known.size - at
                self.ledger.verdict.check(same, f"{known.path}: range is short")

    def read(self, known):
        answer = self.call("GET", f"/files/{known.file_id}/download", {200})
        if answer is not None:
            same = kit.sha256(answer.content) == known.hash
            self.ledger.verdict.check(same, f"{known.path} ({known.file_id}): bytes differ")

    def make_folder(self):
        self.counter += 1
        path = f"{self.folder}/{self.chance.choice('abc')}/d{self.counter}"
        self.call("POST", "/folders", {201}, "folders.create", json={"path": path})

    def send(self):
        """A transfer out, of a file that stays."""
        keep = [known for known in self.files.values() if known.size > 0]
        if not keep:
            return
        known = self.chance.choice(keep)
        self.counter += 1
        name = f"out-{self.number}-{self.counter}.bin"
        order = {"source": known.file_id, "destination": f"far:/{name}"}
        self.submit(order, {"far": name, "hash": known.hash, "file_id": known.file_id})

    def fetch(self):
        """A transfer in, from a file that the far side keeps."""
        path = self.name().replace("/w", "/in", 1)
        order = {"source": "far:/seed.bin", "destination": path}
        self.submit(order, {"path": path})

    def submit(self, order, facts):
        key = f"soak-{uuid.UUID(int=self.chance.getrandbits(128))}"
        self.pending = Pending("submit", order=order, key=key, facts=facts)
        self.submit_pending()

    def submit_pending(self):
        facts = self.pending.facts
        begun = time.monotonic()
        while True:
            answer = self.session.post(
                f"{self.url}/transfers", json=facts["order"], timeout=PATIENCE_SECONDS,
                headers={"Idempotency-Key": facts["key"]},
            )
            waits = answer.status_code == 409 and "in_progress" in answer.text
            if not waits or time.monotonic() - begun > KEY_SECONDS_MAX:
                break
            self.ledger.count("idempotency_key_in_progress")
            time.sleep(1)
        held = f"transfer with a key, after {time.monotonic() - begun:.0f} s"
        text = f"{held}: {answer.status_code} {answer.text[:300]}"
        if self.ledger.verdict.check(answer.status_code == 202, text):
            self.ledger.transfers[answer.json()["transfer_id"]] = facts["facts"]
            if "Idempotent-Replayed" not in answer.headers:
                self.ledger.told(answer, "transfers.create")
            else:
                self.ledger.count("transfers.create replayed")
        self.pending = None

    # What must hold after a crash.

    def look(self, path):
        """The file at a path, or None."""
        answer = self.call("GET", "/files/lookup", {200, 404}, params={"path": path})
        return Known(answer.json()) if answer is not None and answer.status_code == 200 else None

    def reconcile(self):
        """Settles the call that had no answer: done whole, or not at all."""
        self.session = self.ledger.bailee.session()
        self.url = self.ledger.bailee.url
        pending, verdict = self.pending, self.ledger.verdict
        if pending is not None:
            self.ledger.count(f"unanswered {pending.kind}")
            getattr(self, "settle_" + pending.kind)(pending.facts, verdict)
            self.pending = None
        if self.upload is not None:
            self.settle_upload(verdict)

    def settle_write(self, facts, verdict):
        before, found = facts["before"], self.look(facts["path"])
        if found is None:
            verdict.check(before is None, f"{facts['path']}: lost by an overwrite without an answer")
        elif before is not None and found.file_id == before.file_id:
            verdict.check(found.hash == before.hash, f"{facts['path']}: changed in place")
        else:
            verdict.check(found.hash == facts["hash"], f"{facts['path']}: neither old nor new")
            self.ledger.count("unanswered write was done")
            self.adopt(found)

    def settle_delete(self, facts, verdict):
        before = facts["before"]
        found = self.look(before.path)
        if found is None:
            self.ledger.count("unanswered delete was done")
            self.vanished(before)
        else:
            same = found.file_id == before.file_id and found.hash == before.hash
            verdict.check(same, f"{before.path}: half deleted")

    def settle_move(self, facts, verdict):
        before, target = facts["before"], facts["target"]
        here, there = self.look(before.path), self.look(target)
        ids = [found and found.file_id for found in (here, there)]
        once = ids in ([before.file_id, None], [None, before.file_id])
        verdict.check(once, f"move {before.path} to {target}: found {ids}")
        if there:
            self.moved(before, target)

    def settle_submit(self, _facts, _verdict):
        self.submit_pending()

    def settle_upload(self, verdict):
        upload = self.upload
        answer = self.call("GET", f"/uploads/{upload['id']}", {200})
        if answer is None:
            self.upload = None
            return
        seen = answer.json()
        if seen["state"] == "open":
            lost = upload["held"] - set(seen["received"])
            verdict.check(not lost, f"{upload['id']}: acknowledged parts {lost} forgotten")
        else:
            verdict.check(seen["state"] == "completed" and seen["file_id"], f"{upload['id']}: {seen}")
            upload["is_done"] = True
            upload["held"] = set(upload["order"])
        self.parts()
