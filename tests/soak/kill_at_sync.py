"""Bailee is killed at every K-th step of a commit: write, sync, rename, removal, answer; then the invariants are checked.

For each operation K counts from 1 until the operation, and the sealing of its journal entry, end without a kill.
"""

import json
import pathlib
import signal
import sys
import time

import requests

import kit

SMALL_BYTES = 5_000
LARGE_BYTES = 3 * kit.MIB + 17
PART_BYTES = kit.MIB
SEAL_SECONDS = 1.2
ANSWER_SECONDS_MAX = 30
TRACER = pathlib.Path(__file__).with_name("tracer.py")


class Step:
    """One operation on the server: what to do, and what may be seen before and after it."""

    def __init__(self, run, number):
        self.run, self.number = run, number
        self.path = f"/{type(self).__name__.lower()}/{number}.bin"

    def prepare(self):
        """Before the tracer counts."""

    def put(self, path, data, wanted):
        answer = self.run.call("PUT", "/files/content", params={"path": path}, data=data)
        assert answer.status_code == wanted, answer.text
        return answer

    def seen(self, path):
        """Hash of the bytes at a path, None if there are none."""
        answer = self.run.call("GET", "/files/content", params={"path": path})
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:200]}"
        listed = self.run.call("GET", "/files/lookup", params={"path": path}).json()
        found = kit.sha256(answer.content)
        self.run.verdict.check(listed["hash"] == found, f"{path}: bytes differ from their hash")
        return found


class Small(Step):
    size = SMALL_BYTES

    def do(self):
        self.data = kit.content(self.number, self.size)
        return self.put(self.path, self.data, 201)

    def states(self):
        return {"before": None, "after": kit.sha256(self.data)}

    def look(self):
        return self.seen(self.path)


class Large(Small):
    size = LARGE_BYTES


class Overwrite(Small):
    def prepare(self):
        self.old = kit.content(self.number + 500_000, self.size)
        self.old_id = self.put(self.path, self.old, 201).json()["file_id"]

    def do(self):
        self.data = kit.content(self.number, self.size)
        return self.put(self.path, self.data, 200)

    def states(self):
        return {"before": kit.sha256(self.old), "after": kit.sha256(self.data)}

    def look(self):
        old = self.run.call("GET", f"/files/{self.old_id}/download")
        same = old.status_code == 200 and old.content == self.old
        self.run.verdict.check(same, f"{self.path}: the old version does not answer")
        return self.seen(self.path)


class Delete(Overwrite):
    def do(self):
        answer = self.run.call("DELETE", "/files/content", params={"path": self.path})
        assert answer.status_code == 204, answer.text
        return answer

    def states(self):
        return {"before": kit.sha256(self.old), "after": None}

    def look(self):
        return self.seen(self.path)


class Move(Overwrite):
    def do(self):
        body = {"path": self.path + ".moved"}
        answer = self.run.call("PATCH", f"/files/{self.old_id}", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    def states(self):
        digest = kit.sha256(self.old)
        return {"before": (digest, None), "after": (None, digest)}

    def look(self):
        return self.seen(self.path), self.seen(self.path + ".moved")


class Copy(Move):
    def do(self):
        body = {"path": self.path + ".moved"}
        answer = self.run.call("POST", f"/files/{self.old_id}/copy", json=body)
        assert answer.status_code == 201, answer.text
        return answer

    def states(self):
        digest = kit.sha256(self.old)
        return {"before": (digest, None), "after": (digest, digest)}


class Part(Step):
    """A part of an open session: acknowledged is held; not acknowledged is held whole or not at all."""

    def prepare(self):
        self.data = kit.content(self.number, 2 * PART_BYTES)
        order = {"destination": "/part", "filename": f"{self.number}.bin", "part_size": PART_BYTES}
        answer = self.run.call("POST", "/uploads", json=order)
        assert answer.status_code == 201, answer.text
        self.session_id = answer.json()["session_id"]
        self.send(0)

    def send(self, number):
        block = self.data[number * PART_BYTES : (number + 1) * PART_BYTES]
        answer = self.run.call("PUT", f"/uploads/{self.session_id}/parts/{number}", data=block)
        assert answer.status_code == 200, answer.text
        return answer

    def do(self):
        return self.send(1)

    def states(self):
        return {"before": [0], "after": [0, 1]}

    def look(self):
        held = self.run.call("GET", f"/uploads/{self.session_id}").json()["received"]
        if 1 not in held:
            self.send(1)
        self.finish()
        return held

    def finish(self):
        body = {"hash": kit.sha256(self.data)}
        answer = self.run.call("POST", f"/uploads/{self.session_id}/complete", json=body)
        self.run.verdict.check(answer.status_code == 201, f"complete: {answer.status_code} {answer.text[:200]}")
        self.run.verdict.check(self.seen(f"/part/{self.number}.bin") == body["hash"], f"{self.path}: joined wrongly")
        return answer


class Complete(Part):
    def prepare(self):
        super().prepare()
        self.send(1)

    def do(self):
        return self.finish()

    def states(self):
        return {"before": None, "after": kit.sha256(self.data)}

    def look(self):
        found = self.seen(f"/part/{self.number}.bin")
        self.finish()
        return found


class Run:
    def __init__(self, given, scratch, verdict):
        self.given, self.scratch, self.verdict = given, scratch, verdict
        self.bailee = kit.Bailee(given.bailee, scratch)
        self.report = scratch / "calls.json"
        self.number = 0
        self.acknowledged = []

    def call(self, method, path, **options):
        url = self.bailee.url + path
        return self.session.request(method, url, timeout=ANSWER_SECONDS_MAX, **options)

    def start(self, traced):
        wrapper = []
        if traced:
            wrapper = [sys.executable, str(TRACER), str(self.report), f"{self.bailee.data}/", "--"]
        self.bailee.start(wrapper)
        self.session = self.bailee.session()

    def arm(self, kill_at):
        attached = self.report.with_suffix(".attached")
        attached.unlink(missing_ok=True)
        self.report.unlink(missing_ok=True)
        self.report.with_suffix(".arm").write_text(str(kill_at))
        self.bailee.process.send_signal(signal.SIGUSR1)
        while not attached.exists():
            time.sleep(0.005)

    def once(self, kind, kill_at):
        """One operation, killed at its K-th step. The step, or None if it needs fewer steps."""
        self.number += 1
        self.start(traced=True)
        step = kind(self, self.number)
        step.prepare()
        time.sleep(0.3)  # lets the journal come to rest, so that the count begins with the operation
        self.arm(kill_at)
        answer = None
        try:
            answer = step.do()
        except (requests.RequestException, OSError):
            pass
        deadline = time.monotonic() + (SEAL_SECONDS if answer is not None else ANSWER_SECONDS_MAX)
        while self.bailee.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        was_killed = self.bailee.process.poll() is not None
        if not was_killed:
            self.verdict.check(answer is not None, f"{kind.__name__}: no answer, and no kill at {kill_at}")
            self.bailee.stop()
        calls = self.report_calls()
        where = calls[kill_at - 1] if was_killed and len(calls) >= kill_at else "end"
        self.start(traced=False)
        self.check(step, answer, f"{kind.__name__} killed at {kill_at} ({where})")
        self.bailee.kill()  # nothing may depend on an orderly stop
        return where if was_killed else None

    def report_calls(self):
        return json.loads(self.report.read_text()) if self.report.exists() else []

    def check(self, step, answer, when):
        states = step.states()
        found = step.look()
        wanted = [states["after"]] if answer is not None else list(states.values())
        self.verdict.check(found in wanted, f"I1/I2 {when}, answered {answer is not None}: found {found}")
        if answer is not None:
            self.acknowledged.append((answer.headers["X-Request-Id"], when))
        if answer is not None and not isinstance(step, Part):
            time.sleep(0.2)
            query = {"request_id": self.acknowledged[-1][0]}
            records = self.call("GET", "/audit", params=query).json()["data"]
            self.verdict.check(records, f"I6 {when}: no audit record of an acknowledged call")
        ready = self.bailee.ready_seconds[-1]
        self.verdict.check(ready <= kit.READY_SECONDS_MAX, f"F1 {when}: ready after {ready:.1f} s")
        time.sleep(0.1)
        said = self.call("POST", "/audit/verify").json()
        self.verdict.check(said.get("ok"), f"I6 {when}: {said}")

    def all(self):
        kinds = {kind.__name__.lower(): kind for kind in (Small, Large, Overwrite, Delete, Move, Copy, Part, Complete)}
        for name in self.given.steps.split(","):
            places = {}
            self.once(kinds[name], sys.maxsize)  # the first of its kind splits pages that later ones find split
            for kill_at in range(1, self.given.most + 1):
                where = self.once(kinds[name], kill_at)
                if where is None:
                    break
                places.setdefault(where, []).append(kill_at)
            told = ", ".join(f"{where} at {','.join(map(str, at))}" for where, at in places.items())
            print(f"{name}: {kill_at - (where is None)} kills: {told}", flush=True)
        self.bailee.stop()
        code, said = self.bailee.scrub()
        self.verdict.check(code == 0, f"scrub: {code} {said[-500:]}")
        plain = self.bailee.canaries()
        self.verdict.check(not plain, f"I10: plain content in {plain}")
        print("scrub:", said.splitlines()[-1] if said else code)
        print(f"{self.number} kills or ends, {len(self.acknowledged)} answered, ready after at most {max(self.bailee.ready_seconds):.2f} s")


def main():
    given = kit.arguments(__doc__, steps="small,large,overwrite,delete,move,copy,part,complete", most=200)
    verdict = kit.Verdict()
    with kit.Scratch(given.scratch, verdict) as scratch:
        run = Run(given, scratch, verdict)
        try:
            run.all()
        finally:
            run.bailee.stop()
    verdict.end()


if __name__ == "__main__":
    main()
