"""Thousands of small files and some large ones from a store of S3 to OpenSSH by one transfer, while Bailee, sshd and the
way to the store are killed in turn.

The store is moto, which keeps what it has in memory, so that it is not itself killed: in front of it stands a proxy in a
process of its own, and that is killed, with every connection through it. Ends well when the transfer completed, each file
is at the far side once and whole, each is told of with its hash, nothing else is left there, and Bailee held at most
300 MiB at any time.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import kit
import requests

MEMORY_MIB_MAX = 300
FOLDER_FILES = 100
BUCKET = "lake"


class Moto:
    """A store of S3 that lives through the whole run."""

    def __init__(self, scratch):
        self.port = kit.free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with open(scratch / "moto.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(1200):
            try:
                if requests.put(f"{self.url}/{BUCKET}", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("moto does not answer")

    def put(self, session, key, body):
        answer = session.put(f"{self.url}/{BUCKET}/{key}", data=body, timeout=300)
        answer.raise_for_status()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Way:
    """The way to the store: a proxy that is killed and started again at the same port."""

    def __init__(self, scratch, target):
        self.port, self.target = kit.free_port(), target
        self.log = scratch / "way.log"
        self.process = None

    def start(self):
        command = [sys.executable, __file__, "--way", str(self.port), str(self.target)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def keep_a_way(port, target):
    """What the proxy's process does."""
    kit.CountingProxy(target, port=port)
    signal.pause()


class Files:
    """What is sent: small files in folders of a hundred, large ones in one more."""

    def __init__(self, given):
        chance = random.Random(given.seed)
        self.seed = given.seed
        self.sizes = {}
        small = max(1, int(given.small * given.scale))
        for number in range(small):
            name = f"{number // FOLDER_FILES:03d}/{number:05d}.bin"
            self.sizes[name] = chance.randint(1024, 64 * 1024)
        for number in range(max(1, int(given.large * given.scale))):
            low, high = (int(edge * kit.MIB * given.large_scale) for edge in (64, 256))
            self.sizes[f"large/{number:02d}.bin"] = chance.randint(low, high)
        self.hashes = {}
        self.bytes = sum(self.sizes.values())

    def upload(self, moto, name):
        body = kit.content(self.seed ^ hash_of(name), self.sizes[name])
        with requests.Session() as session:
            moto.put(session, f"in/{name}", body)
        return name, kit.sha256(body)

    def upload_all(self, moto):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            uploads = pool.map(lambda name: self.upload(moto, name), self.sizes)
            self.hashes = dict(uploads)


def hash_of(name):
    return int(kit.sha256(name.encode())[:12], 16)


class Relay:
    """One transfer and those who break it."""

    def __init__(self, given, verdict, scratch):
        self.given, self.verdict = given, verdict
        self.chance = random.Random(given.seed)
        self.moto = Moto(scratch)
        self.way = Way(scratch, self.moto.port)
        self.sshd = kit.Sshd(scratch)
        self.bailee = kit.Bailee(given.bailee, scratch)
        self.peak_kib = 0

    def start(self):
        self.way.start()
        self.sshd.start()
        self.bailee.start()

    def stop(self):
        self.bailee.stop()
        self.sshd.stop()
        self.way.kill()
        self.moto.stop()

    def status(self, transfer_id):
        with self.bailee.session() as session:
            answer = session.get(f"{self.bailee.url}/transfers/{transfer_id}", timeout=30)
            answer.raise_for_status()
            return answer.json()

    def submit(self):
        session, url = self.bailee.session(), self.bailee.url
        lake = {
            "name": "lake",
            "kind": "s3",
            "endpoint": f"http://127.0.0.1:{self.way.port}",
            "region": "us-east-1",
            "bucket": BUCKET,
            "access_key_id": "key",
            "secret_access_key": "secret",
            "path_style": True,
            "concurrency": self.given.concurrency,
        }
        far = self.sshd.remote("far") | {"concurrency": self.given.concurrency}
        for remote in (lake, far):
            made = session.post(f"{url}/remotes", json=remote, timeout=30)
            assert made.status_code == 201, made.text
        order = {
            "source": "lake:/in/",
            "destination": "far:/out/",
            "verify": self.given.verify,
            "retry": {"max_attempts": 20, "initial_delay_seconds": 1, "max_delay_seconds": 2},
        }
        os.mkdir(self.sshd.base / "out")
        made = session.post(f"{url}/transfers", json=order, timeout=60)
        assert made.status_code == 202, made.text
        return made.json()["transfer_id"]

    def note_memory(self):
        self.peak_kib = max(self.peak_kib, self.bailee.status_kib("VmHWM"))

    def break_one(self, fault):
        if fault == "bailee":
            self.note_memory()
            self.bailee.kill()
            time.sleep(self.chance.uniform(0, 0.5))
            self.bailee.start()
        elif fault == "sshd":
            self.sshd.stop()
            time.sleep(self.chance.uniform(0.1, 1.0))
            self.sshd.start()
        else:
            self.way.kill()
            time.sleep(self.chance.uniform(0.1, 1.0))
            self.way.start()

    def wait_for(self, transfer_id, files_done, deadline):
        """Waits until so many files have ended, or the transfer has. Its last form."""
        while time.monotonic() < deadline:
            status = self.status(transfer_id)
            ended = status["files_done"] + status["files_failed"]
            if status["state"] in ("completed", "failed") or ended >= files_done:
                return status
            time.sleep(0.1)
        return self.status(transfer_id)

    def run(self, files):
        begun = time.monotonic()
        deadline = begun + self.given.seconds_max
        transfer_id = self.submit()
        faults = (["bailee", "sshd", "way"] * self.given.faults)[: self.given.faults]
        for number, fault in enumerate(faults):
            share = (number + 1 + self.chance.uniform(-0.3, 0.3)) / (len(faults) + 1)
            status = self.wait_for(transfer_id, int(len(files.sizes) * share), deadline)
            spent = time.monotonic() - begun
            done = f"{status['files_done']} files, {status['bytes_done'] / kit.MIB:.0f} MiB"
            print(f"{spent:6.1f} s: {fault} at {done}", flush=True)
            self.verdict.check(status["state"] == "running", f"{status['state']} before {fault}")
            self.break_one(fault)
        status = self.wait_for(transfer_id, len(files.sizes) + 1, deadline)
        spent = time.monotonic() - begun
        self.note_memory()
        rate = status["files_done"] / spent
        print(
            f"{status['state']} {status['outcome']} in {spent:.1f} s: {rate:.1f} files/s, "
            f"{files.bytes / kit.MIB / spent:.1f} MiB/s, {len(faults)} faults, "
            f"peak {self.peak_kib / 1024:.0f} MiB, ready after a kill in {max(self.bailee.ready_seconds):.2f} s",
            flush=True,
        )
        self.judge(files, transfer_id, status)

    def judge(self, files, transfer_id, status):
        check = self.verdict.check
        check(status["state"] == "completed", f"ended as {json.dumps(status)}")
        counts = {name: status[name] for name in ("files_done", "files_failed", "files_skipped")}
        wanted = {"files_done": len(files.sizes), "files_failed": 0, "files_skipped": 0}
        check(counts == wanted, f"counts {counts}")
        check(status["bytes_done"] == files.bytes, f"{status['bytes_done']} bytes of {files.bytes}")
        base = self.sshd.base
        there = {str(path.relative_to(base / "out")) for path in base.rglob("*") if path.is_file()}
        strangers = sorted(there - set(files.sizes))
        check(not strangers, f"{len(strangers)} files that were not sent: {strangers[:5]}")
        missing = sorted(set(files.sizes) - there)
        check(not missing, f"{len(missing)} files are missing: {missing[:5]}")
        wrong = [
            name for name in there & set(files.sizes)
            if kit.sha256_file(base / "out" / name) != files.hashes[name]
        ]
        check(not wrong, f"{len(wrong)} files have another SHA-256: {wrong[:5]}")
        self.judge_results(files, transfer_id)
        check(self.peak_kib <= MEMORY_MIB_MAX * 1024, f"peak {self.peak_kib / 1024:.0f} MiB")

    def judge_results(self, files, transfer_id):
        check = self.verdict.check
        told = {}
        with self.bailee.session() as session:
            for row in kit.pages(session, f"{self.bailee.url}/transfers/{transfer_id}/files"):
                name = row["source"].removeprefix("lake:/in/")
                check(name not in told, f"{name} is told of twice")
                told[name] = row
            events = [
                event["type"] for event in kit.all_events(session, self.bailee.url)
                if event.get("transfer_id") == transfer_id
            ]
            audit = session.post(f"{self.bailee.url}/audit/verify", timeout=300).json()
        check(set(told) == set(files.sizes), f"{len(told)} results for {len(files.sizes)} files")
        for name, row in told.items():
            is_right = (
                row["state"] == "completed"
                and row["outcome"] == "succeeded"
                and row["destination"] == f"far:/out/{name}"
                and row["size_bytes"] == files.sizes.get(name)
                and row["hash"] == files.hashes.get(name)
            )
            check(is_right, f"the result of {name}: {row}")
        tries = sum(row["attempts"] for row in told.values())
        print(f"{tries} tries for {len(told)} files, events {sorted(set(events))}", flush=True)
        check(events.count("transfer.completed") == 1, f"events {events}")
        check(audit["ok"], f"audit {audit}")


def main():
    given = kit.arguments(
        __doc__,
        small=10_000,
        large=20,
        scale=1.0,
        large_scale=1.0,
        faults=9,
        concurrency=8,
        verify="hash",
        seconds_max=3600,
    )
    verdict = kit.Verdict()
    files = Files(given)
    with kit.Scratch(given.scratch, verdict) as scratch:
        relay = Relay(given, verdict, pathlib.Path(scratch))
        try:
            begun = time.monotonic()
            files.upload_all(relay.moto)
            spent = time.monotonic() - begun
            print(f"{len(files.sizes)} files, {files.bytes / kit.MIB:.0f} MiB in the store in {spent:.1f} s", flush=True)
            relay.start()
            relay.run(files)
        finally:
            relay.stop()
    verdict.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        keep_a_way(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
