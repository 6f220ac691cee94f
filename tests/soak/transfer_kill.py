"""One large transfer to OpenSSH while its sessions are killed, sshd is restarted and Bailee is killed.

Ends well when the transfer completed, exactly one whole file is under the final name, nothing else is left beside it,
the wire carried at most the size and 16 MiB for each fault, and one `transfer.completed` was told.
"""

import hashlib
import os
import random
import time

import kit

FAULT_BYTES_MAX = 16 * kit.MIB
PART_BYTES = 32 * kit.MIB


class Source:
    """A large file in parts that need not be held at once."""

    def __init__(self, seed, size):
        self.seed, self.size = seed, size
        digest = hashlib.sha256()
        for part in self.parts():
            digest.update(part)
        self.hash = digest.hexdigest()

    def parts(self):
        for number, offset in enumerate(range(0, self.size, PART_BYTES)):
            length = min(PART_BYTES, self.size - offset)
            yield kit.content(self.seed + number, length)


def status_of(bailee, transfer_id):
    with bailee.session() as session:
        answer = session.get(f"{bailee.url}/transfers/{transfer_id}/status", timeout=10)
        answer.raise_for_status()
        return answer.json()


def wait_for_progress(bailee, transfer_id, at_least_bytes, proxy, deadline):
    """Waits until the wire carried so much, or the transfer ended. Its last status."""
    while time.monotonic() < deadline:
        status = status_of(bailee, transfer_id)
        if status["state"] in ("completed", "failed") or proxy.up_bytes >= at_least_bytes:
            return status
        time.sleep(0.02)
    raise RuntimeError(f"no progress: {status}")


def run_once(given, verify, verdict):
    chance = random.Random(given.seed)
    with kit.Scratch(given.scratch and f"{given.scratch}/{verify}", verdict) as scratch:
        sshd = kit.Sshd(scratch)
        sshd.start()
        proxy = kit.CountingProxy(sshd.port, given.mib_per_second * kit.MIB)
        receiver = kit.Receiver()
        bailee = kit.Bailee(given.bailee, scratch)
        try:
            bailee.start()
            transfer(given, verify, verdict, chance, sshd, proxy, receiver, bailee)
        finally:
            bailee.stop()
            sshd.stop()


def transfer(given, verify, verdict, chance, sshd, proxy, receiver, bailee):
    size = given.mib * kit.MIB
    source = Source(given.seed, size)
    session, url = bailee.session(), bailee.url
    made = session.post(f"{url}/remotes", json=sshd.remote("far", proxy.port), timeout=30)
    assert made.status_code == 201, made.text
    hook = {"url": receiver.url, "types": ["*"]}
    made = session.post(f"{url}/webhooks", json=hook, timeout=30)
    assert made.status_code == 201, made.text
    begun = time.monotonic()
    file = kit.upload_parts(session, url, "out", "big.bin", source.parts(), PART_BYTES, source.hash)
    verdict.check(file["hash"] == source.hash, "upload: hash differs")
    print(f"{verify}: uploaded {given.mib} MiB in {time.monotonic() - begun:.1f} s", flush=True)
    order = {
        "source": "/out/big.bin",
        "destination": "far:/in/big.bin",
        "notify_on_completion": False,
        "verify": verify,
        "retry": {"max_attempts": 20, "initial_delay_seconds": 1, "max_delay_seconds": 2},
    }
    os.mkdir(sshd.base / "in")
    made = session.post(f"{url}/transfers", json=order, timeout=30)
    assert made.status_code == 202, made.text
    transfer_id = made.json()["transfer_id"]
    faults = ["session", "bailee", "session", "bailee", "session"]
    faults = faults[: given.faults]
    begun, deadline = time.monotonic(), time.monotonic() + given.seconds_max
    for number, fault in enumerate(faults):
        share = (number + 1 + chance.uniform(-0.3, 0.3)) / (len(faults) + 1)
        status = wait_for_progress(bailee, transfer_id, int(size * share), proxy, deadline)
        state, done = status["state"], status["bytes_done"]
        print(f"{verify}: {fault} at {done / kit.MIB:.0f} MiB, {state}", flush=True)
        verdict.check(state not in ("completed", "failed"), f"{verify}: ended before {fault}")
        verdict.check(not (sshd.base / "in/big.bin").exists(), f"{verify}: final name too early")
        if fault == "session":
            verdict.check(sshd.kill_sessions() > 0, f"{verify}: no session to kill")
            sshd.stop()
            time.sleep(chance.uniform(0.1, 1.0))
            sshd.start()
        else:
            bailee.kill()
            time.sleep(chance.uniform(0, 0.5))
            bailee.start()
            after = status_of(bailee, transfer_id)
            went_back = after["bytes_done"] < done
            verdict.check(not went_back, f"{verify}: bytes_done {after['bytes_done']} < {done}")
    while (status := status_of(bailee, transfer_id))["state"] not in ("completed", "failed"):
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    spent = time.monotonic() - begun
    verdict.check(status["state"] == "completed", f"{verify}: ended as {status}")
    left = sorted(str(path.relative_to(sshd.base)) for path in sshd.base.rglob("*"))
    verdict.check(left == ["in", "in/big.bin"], f"{verify}: at the far side: {left}")
    if (sshd.base / "in/big.bin").exists():
        found = kit.sha256_file(sshd.base / "in/big.bin")
        verdict.check(found == source.hash, f"{verify}: SHA-256 {found}, not {source.hash}")
    extra = proxy.up_bytes - size
    most = len(faults) * FAULT_BYTES_MAX
    print(
        f"{verify}: {status['state']} in {spent:.1f} s, attempt {status['attempt']}, "
        f"{proxy.connections} connections, wire {proxy.up_bytes} bytes = size + {extra / kit.MIB:.1f} MiB "
        f"(at most {most / kit.MIB:.0f}), ready after kill in {max(bailee.ready_seconds):.2f} s",
        flush=True,
    )
    verdict.check(0 <= extra <= most, f"{verify}: {extra} bytes more than the size on the wire")
    check_told(bailee, receiver, transfer_id, verdict, verify)


def check_told(bailee, receiver, transfer_id, verdict, verify):
    time.sleep(2)
    with bailee.session() as session:
        told = [
            event
            for event in kit.all_events(session, bailee.url)
            if event.get("transfer_id") == transfer_id
        ]
        audit = session.post(f"{bailee.url}/audit/verify", timeout=60).json()
    types = [event["type"] for event in told]
    print(f"{verify}: events {types}", flush=True)
    verdict.check(types.count("transfer.completed") == 1, f"{verify}: events {types}")
    heard = [
        event["event_id"]
        for event in receiver.events.values()
        if event["type"] == "transfer.completed" and event.get("transfer_id") == transfer_id
    ]
    verdict.check(len(heard) == 1, f"{verify}: receiver heard of {heard}")
    verdict.check(audit["ok"], f"{verify}: audit {audit}")


def main():
    given = kit.arguments(__doc__, mib=1024, mib_per_second=80, seconds_max=600, faults=5, verify="size,hash")
    verdict = kit.Verdict()
    for verify in given.verify.split(","):
        run_once(given, verify, verdict)
    verdict.end()


if __name__ == "__main__":
    main()
