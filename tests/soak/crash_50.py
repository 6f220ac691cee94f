"""kill -9 at random under mixed load, many times; after each restart what was acknowledged must be true.

Load: uploads of all kinds, deletes, moves, copies, downloads, part sessions that go on over crashes, transfers to and
from OpenSSH, and a receiver of events. The names I1 to I15 are the invariants of docs/quality.md.
"""

import random
import threading
import time

import kit
import model

SEED_BYTES = 3 * kit.MIB
SCRUB_EVERY = 10
OLD_READ = 40
SETTLE_SECONDS_MAX = 120


class Run:
    def __init__(self, given, scratch, verdict):
        self.given, self.verdict = given, verdict
        self.chance = random.Random(given.seed)
        self.sshd = kit.Sshd(scratch)
        self.receiver = kit.Receiver()
        self.bailee = kit.Bailee(given.bailee, scratch)
        self.seed_data = kit.content(given.seed % 1_000_000 + 7, SEED_BYTES)
        self.last_sequence = 0
        self.audited = {}

    def prepare(self):
        self.sshd.start()
        (self.sshd.base / "seed.bin").write_bytes(self.seed_data)
        self.bailee.start()
        with self.bailee.session() as session:
            url = self.bailee.url
            made = session.post(f"{url}/remotes", json=self.sshd.remote("far"), timeout=30)
            assert made.status_code == 201, made.text
            hook = {"url": self.receiver.url, "types": ["*"]}
            made = session.post(f"{url}/webhooks", json=hook, timeout=30)
            assert made.status_code == 201, made.text
        self.ledger = model.Ledger(self.bailee, self.verdict)
        self.workers = [
            model.Worker(number, self.given.seed, self.ledger, self.sshd.base)
            for number in range(self.given.workers)
        ]

    def load(self, seconds, kills):
        """Mixed load until the kill (or for so long, without one)."""
        stop = threading.Event()
        threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in self.workers]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        if kills:
            self.bailee.kill()
        stop.set()
        for thread in threads:
            thread.join()

    def life(self, number):
        self.load(self.chance.uniform(0.2, self.given.seconds), kills=True)
        if number % SCRUB_EVERY == 0:
            self.check_at_rest()
        self.bailee.start()
        ready = self.bailee.ready_seconds[-1]
        text = f"life {number}: ready after {ready:.1f} s"
        self.verdict.check(ready <= kit.READY_SECONDS_MAX, text)
        for worker in self.workers:
            worker.reconcile()
        self.check_lists(f"life {number}")
        self.check_bytes()
        self.check_audit(f"life {number}")
        self.check_far_names(f"life {number}")
        versions, requests = len(self.ledger.versions), len(self.ledger.requests)
        print(f"life {number}: {versions} versions, {requests} acknowledged", flush=True)

    def check_at_rest(self):
        """I10, and the scrub: the server must be down."""
        code, said = self.bailee.scrub()
        self.verdict.check(code == 0, f"scrub: {code} {said[-500:]}")
        print("scrub:", said.splitlines()[-1] if said else code, flush=True)
        plain = self.bailee.canaries()
        self.verdict.check(not plain, f"I10: plain content in {plain}")

    def check_lists(self, when):
        """I2, I3, I5: lists equal the model, both the search and the folders."""
        with self.bailee.session() as session:
            url = self.bailee.url
            for worker in self.workers:
                wanted = {
                    (known.path, known.file_id, known.hash, known.size)
                    for known in worker.files.values()
                }
                listed = {
                    (file["path"], file["file_id"], file["hash"], file["size"])
                    for file in kit.pages(session, f"{url}/files", path_prefix=worker.folder)
                    if file["is_current"]
                }
                odd = sorted(wanted ^ listed)
                self.verdict.check(not odd, f"I5 {when}: list and model differ in {odd[:4]}")
                children = set()
                for folder in "abc":
                    path = f"{worker.folder}/{folder}"
                    found = session.get(f"{url}/folders/children", params={"path": path}, timeout=30)
                    if found.status_code == 404:
                        continue
                    entries = kit.pages(session, f"{url}/folders/children", path=path)
                    children |= {entry["path"] for entry in entries if entry.get("file_id")}
                odd = sorted(children ^ set(worker.files))
                self.verdict.check(not odd, f"I5 {when}: children and model differ in {odd[:4]}")

    def check_bytes(self):
        """I1, I3: what this life touched and a few older ones."""
        for worker in self.workers:
            recent = [worker.files[path] for path in worker.touched if path in worker.files]
            for known in recent:
                worker.read(known)
        kept = [known for file_id, known in self.ledger.versions.items() if file_id not in self.ledger.deleted]
        for known in self.chance.sample(kept, k=min(OLD_READ, len(kept))):
            self.workers[0].read(known)
        gone = sorted(self.ledger.deleted)
        for file_id in self.chance.sample(gone, k=min(OLD_READ, len(gone))):
            self.check_gone(file_id)

    def check_gone(self, file_id):
        session, url = self.workers[0].session, self.bailee.url
        for headers in ({}, {"Range": "bytes=0-"}):
            answer = session.get(f"{url}/files/{file_id}/download", headers=headers, timeout=30)
            self.verdict.check(answer.status_code == 404, f"I3: {file_id} answers {answer.status_code}")

    def check_audit(self, when):
        """I6: the journal verifies, has no gap, and has a record of each acknowledged call."""
        with self.bailee.session() as session:
            said = session.post(f"{self.bailee.url}/audit/verify", timeout=120).json()
            self.verdict.check(said.get("ok"), f"I6 {when}: {said}")
            sequences = []
            for record in kit.pages(session, f"{self.bailee.url}/audit"):
                if record["sequence"] <= self.last_sequence:
                    break
                sequences.append(record["sequence"])
                if record["request_id"]:
                    self.audited[record["request_id"]] = record["operation"]
        if sequences:
            wanted = list(range(sequences[0], self.last_sequence, -1))
            self.verdict.check(sequences == wanted, f"I6 {when}: sequences have a gap or are twice")
            self.last_sequence = sequences[0]
        lost = {
            request: operation
            for request, operation in self.ledger.requests.items()
            if request not in self.audited
        }
        text = f"I6 {when}: {len(lost)} acknowledged calls without a record: {list(lost.items())[:5]}"
        if not self.verdict.check(not lost, text):
            self.ledger.requests = {r: o for r, o in self.ledger.requests.items() if r not in lost}

    def check_far_names(self, when):
        """I9: whatever is under a final name is whole."""
        for transfer_id, facts in self.ledger.transfers.items():
            path = self.sshd.base / facts.get("far", "-")
            if path.exists() and not facts.get("seen"):
                facts["seen"] = True
                same = kit.sha256_file(path) == facts["hash"]
                self.verdict.check(same, f"I9 {when}: {transfer_id} is partial at the far side")

    def finish(self):
        """A last stretch without faults, then the whole."""
        self.load(2, kills=False)
        for worker in self.workers:
            worker.reconcile()
        self.wait_for_transfers()
        self.check_transfers()
        self.check_lists("end")
        for known in self.ledger.versions.values():
            if known.file_id in self.ledger.deleted:
                self.check_gone(known.file_id)
            else:
                self.workers[0].read(known)
        self.check_audit("end")
        self.check_events()
        self.check_usage()
        self.bailee.stop()
        self.check_at_rest()

    def wait_for_transfers(self):
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        begun = time.monotonic()
        with self.bailee.session() as session:
            while time.monotonic() < deadline:
                states = [one["state"] for one in kit.pages(session, f"{self.bailee.url}/transfers")]
                if all(state in ("completed", "failed") for state in states):
                    break
                time.sleep(0.5)
        print(f"transfers at rest {time.monotonic() - begun:.1f} s after the load")

    def check_transfers(self):
        """I9: each transfer happened once, as far as the far side and the lists tell."""
        with self.bailee.session() as session:
            every = {
                one["transfer_id"]: one
                for one in kit.pages(session, f"{self.bailee.url}/transfers")
            }
        known = set(self.ledger.transfers)
        self.verdict.check(set(every) == known, f"transfers differ: {sorted(set(every) ^ known)[:4]}")
        arrived, attempts = {"seed.bin"}, []
        for transfer_id, facts in self.ledger.transfers.items():
            one = every.get(transfer_id, {})
            attempts.append(one.get("attempt") or 0)
            gone = facts.get("file_id") in self.ledger.deleted
            if one.get("state") != "completed":
                # Its source may have been deleted before it began.
                fine = one.get("state") == "failed" and gone and one["error_code"] == "source_not_found"
                self.verdict.check(fine, f"I9: {transfer_id} ended as {one}")
            elif "far" in facts:
                arrived.add(facts["far"])
                path = self.sshd.base / facts["far"]
                same = path.exists() and kit.sha256_file(path) == facts["hash"]
                self.verdict.check(same, f"I9: {transfer_id} completed, far file differs")
            else:
                found = self.workers[0].look(facts["path"])
                same = found is not None and found.hash == kit.sha256(self.seed_data)
                self.verdict.check(same, f"I9: {transfer_id} completed, {facts['path']} differs")
                if found:
                    self.ledger.add(found)
        there = {path.name for path in self.sshd.base.iterdir()}
        odd = sorted(there ^ arrived)
        self.verdict.check(not odd, f"I9, I15: far side and transfers differ in {odd[:6]}")
        print(f"{len(attempts)} transfers, most attempts {max(attempts, default=0)}")

    def check_events(self):
        """I8: every event is delivered; none tells of what did not happen."""
        with self.bailee.session() as session:
            deadline = time.monotonic() + SETTLE_SECONDS_MAX
            while True:
                events = list(kit.all_events(session, self.bailee.url))
                missing = [event for event in events if event["event_id"] not in self.receiver.ids()]
                if not missing or time.monotonic() > deadline:
                    break
                time.sleep(1)
        kinds = sorted({event["type"] for event in missing})
        self.verdict.check(not missing, f"I8: {len(missing)} of {len(events)} events never came: {kinds}")
        sequences = [event["sequence"] for event in events]
        self.verdict.check(sequences == sorted(set(sequences)), "I8: sequences are not ascending")
        uploaded = [e["data"]["file_id"] for e in events if e["type"] == "file.uploaded"]
        odd = set(uploaded) - set(self.ledger.versions)
        self.verdict.check(not odd, f"I8: events of unknown files {sorted(odd)[:4]}")
        untold = set(self.ledger.versions) - set(uploaded)
        self.verdict.check(not untold, f"I8: {len(untold)} files without file.uploaded: {sorted(untold)[:4]}")
        self.verdict.check(len(uploaded) == len(set(uploaded)), "I8: a file was told twice")
        gone = {e["data"]["file_id"] for e in events if e["type"] == "file.deleted"}
        odd = gone ^ self.ledger.deleted
        self.verdict.check(not odd, f"I8: file.deleted and the model differ in {sorted(odd)[:4]}")
        ended = [e["transfer_id"] for e in events if e["type"] == "transfer.completed"]
        self.verdict.check(len(ended) == len(set(ended)), "I8: a transfer completed twice")
        again = sum(self.receiver.deliveries.values()) - len(self.receiver.deliveries)
        print(f"{len(events)} events, {len(self.receiver.events)} received, {again} of them again")

    def check_usage(self):
        """I7: usage equals a recount of versions, trash and open parts."""
        with self.bailee.session() as session:
            open_parts = sum(
                one["bytes_received"] for one in kit.pages(session, f"{self.bailee.url}/uploads")
            )
            session.headers["Authorization"] = f"Bearer {self.bailee.facts['operator_key']}"
            tenant = self.bailee.facts["tenant_id"]
            usage = session.get(f"{self.bailee.url}/tenants/{tenant}/usage", timeout=30).json()
        size = sum(known.size for known in self.ledger.versions.values())
        wanted = (len(self.ledger.versions), size + open_parts)
        found = (usage["files_used"], usage["bytes_used"])
        self.verdict.check(found == wanted, f"I7: usage {found}, recounted {wanted}")


def main():
    given = kit.arguments(__doc__, lives=50, workers=8, seconds=4.0)
    verdict = kit.Verdict()
    with kit.Scratch(given.scratch, verdict) as scratch:
        run = Run(given, scratch, verdict)
        try:
            run.prepare()
            for number in range(1, given.lives + 1):
                run.life(number)
            run.finish()
        finally:
            run.bailee.stop()
            run.sshd.stop()
        print(f"calls {run.ledger.counts}")
        print(f"ready after at most {max(run.bailee.ready_seconds):.2f} s")
    verdict.end()


if __name__ == "__main__":
    main()
