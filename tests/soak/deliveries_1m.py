"""A million queued deliveries, a kill -9, and how fast the next life hands them over.

Many webhooks want every event. While events are made, the webhooks' own limits hold the deliveries back, so that they
pile up; then the server is killed, started again, and let go. Ends well when the server is ready within ten seconds, every
event arrives at every webhook, the pile melts at 1,000 deliveries a second or more, and a receiver that never answers
delays the others by no more than a second. Prints how many writes a second this machine brings to its disk, in the same
run: a rate says little without it. `--n 20000` is a quick run.
"""

import asyncio
import concurrent.futures
import os
import socket
import threading
import time

import kit

READY_SECONDS_MAX = 10.0
DELAY_SECONDS_MAX = 1.0
WRITERS = 8
SYNC_SECONDS = 2.0
DEAD_EVENTS = 300
PROBES = 20


class Receiver(asyncio.Protocol):
    """Answers 200 to every POST at once, and notes who was told of what. Written for speed: it reads a length and an id,
    and nothing else of HTTP."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    seen = {}
    total = 0
    arrivals = {}

    def __init__(self):
        self.held = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.held += data
        while True:
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.held[:end].lower()
            size = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self.held) < end + 4 + size:
                return
            path = head.split(b" ", 2)[1]
            event = head.split(b"webhook-id:", 1)[1].split(b"\r\n", 1)[0].strip()
            Receiver.seen.setdefault(path, set()).add(hash(event))
            Receiver.total += 1
            if path == b"/probe":
                Receiver.arrivals.setdefault(event.decode(), time.monotonic())
            self.held = self.held[end + 4 + size :]
            self.transport.write(self.ANSWER)


def serve(port):
    """Runs the receiver in a thread of its own."""
    loop = asyncio.new_event_loop()
    listening = threading.Event()

    def run():
        asyncio.set_event_loop(loop)
        loop.run_until_complete(loop.create_server(Receiver, "127.0.0.1", port))
        listening.set()
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    listening.wait()


def sync_rate(folder):
    """Small writes a second that reach the disk, one after the other."""
    path = folder / "sync-rate"
    with open(path, "wb", buffering=0) as file:
        begun, count = time.monotonic(), 0
        while time.monotonic() - begun < SYNC_SECONDS:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / SYNC_SECONDS


def distinct():
    return sum(len(ids) for path, ids in Receiver.seen.items() if path.startswith(b"/w"))


def make_webhooks(session, bailee, port, count):
    made = []
    for number in range(count):
        wish = {
            "url": f"http://127.0.0.1:{port}/w{number}",
            "types": ["file.uploaded"],
            # Held back until everything is queued.
            "limits": {"per_second": 1, "concurrency": 1},
        }
        answer = session.post(f"{bailee.url}/webhooks", json=wish, timeout=30)
        answer.raise_for_status()
        made.append(answer.json()["webhook_id"])
    return made


def make_events(bailee, begin, end):
    session = bailee.session()
    for number in range(begin, end):
        answer = session.put(f"{bailee.url}/files/content?path=/e/{number}", data=b"x", timeout=60)
        answer.raise_for_status()


def let_go(session, bailee, webhooks):
    for webhook in webhooks:
        change = {"limits": {"per_second": None, "concurrency": None}}
        answer = session.patch(f"{bailee.url}/webhooks/{webhook}", json=change, timeout=30)
        answer.raise_for_status()


def wait_until_dispatched(session, bailee, webhook, events):
    """Until the last event is a delivery of the last webhook, scheduled or done."""
    while True:
        stats = session.get(f"{bailee.url}/webhooks/{webhook}/stats", timeout=60)
        stats.raise_for_status()
        total = sum(
            value for name, value in stats.json().items()
            if name in ("scheduled", "running", "succeeded", "failed", "abandoned") and value
        )
        if total >= events:
            return
        time.sleep(0.5)


def probe(session, bailee, name):
    """Seconds from the answer to an upload to the arrival of its event."""
    known = set(Receiver.arrivals)
    answer = session.put(f"{bailee.url}/files/content?path=/probe/{name}", data=b"x", timeout=60)
    answer.raise_for_status()
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        new = set(Receiver.arrivals) - known
        if new:
            return Receiver.arrivals[new.pop()] - begun
        time.sleep(0.002)
    return 60.0


def dead_endpoint(session, bailee, port, verdict):
    """A receiver that takes connections and never answers, with a pile of its own, beside one that answers."""
    dead = socket.create_server(("127.0.0.1", 0), backlog=1024)
    for path, types in ((f"127.0.0.1:{port}/probe", "/probe"), (None, "/dead")):
        url = f"http://{path}" if path else f"http://127.0.0.1:{dead.getsockname()[1]}/dead"
        wish = {"url": url, "types": ["file.uploaded"], "filters": {"path_prefix": types}}
        session.post(f"{bailee.url}/webhooks", json=wish, timeout=30).raise_for_status()
    before = sorted(probe(session, bailee, f"b{number}") for number in range(PROBES))
    for number in range(DEAD_EVENTS):
        path = f"{bailee.url}/files/content?path=/dead/{number}"
        session.put(path, data=b"x", timeout=60).raise_for_status()
    after = sorted(probe(session, bailee, f"a{number}") for number in range(PROBES))
    print(
        f"arrival alone {before[PROBES // 2] * 1000:.0f} ms (worst {before[-1] * 1000:.0f} ms), "
        f"beside a dead receiver with {DEAD_EVENTS} deliveries {after[PROBES // 2] * 1000:.0f} ms "
        f"(worst {after[-1] * 1000:.0f} ms)",
        flush=True,
    )
    delay = after[-1] - before[PROBES // 2]
    verdict.check(delay <= DELAY_SECONDS_MAX, f"a dead receiver delays by {delay:.2f} s")
    dead.close()


def run(given, bailee, scratch, verdict):
    session = bailee.session()
    port = kit.free_port()
    serve(port)
    print(f"{sync_rate(scratch):.0f} syncs a second on this machine, alone", flush=True)
    events = max(1, given.n // given.webhooks)
    wanted = events * given.webhooks
    webhooks = make_webhooks(session, bailee, port, given.webhooks)
    begun = time.monotonic()
    share = -(-events // WRITERS)
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        shares = [(at, min(at + share, events)) for at in range(0, events, share)]
        for done in [pool.submit(make_events, bailee, *one) for one in shares]:
            done.result()
    made = time.monotonic() - begun
    wait_until_dispatched(session, bailee, webhooks[-1], events)
    queued = time.monotonic() - begun
    early = distinct()
    print(
        f"{events} events in {made:.1f} s, {wanted} deliveries queued after {queued:.1f} s, {early} of them gone out; "
        f"peak memory {bailee.status_kib('VmHWM') // 1024} MiB",
        flush=True,
    )
    bailee.kill()
    bailee.start()
    ready = bailee.ready_seconds[-1]
    verdict.check(ready <= READY_SECONDS_MAX, f"ready after {ready:.1f} s")
    session = bailee.session()
    begun, before = time.monotonic(), distinct()
    let_go(session, bailee, webhooks)
    last_told = begun
    while distinct() < wanted and time.monotonic() - begun < given.seconds_max:
        time.sleep(0.05)
        if time.monotonic() - last_told > 15:
            last_told = time.monotonic()
            print(f"  {distinct()} of {wanted}", flush=True)
    seconds = time.monotonic() - begun
    rate = (distinct() - before) / seconds
    print(
        f"ready after {ready:.1f} s; {distinct() - before} deliveries in {seconds:.1f} s: {rate:.0f} a second; "
        f"{Receiver.total - distinct()} told twice; {sync_rate(scratch):.0f} syncs a second afterwards; "
        f"peak memory {bailee.status_kib('VmHWM') // 1024} MiB",
        flush=True,
    )
    verdict.check(distinct() == wanted, f"{wanted} deliveries arrive, not {distinct()}")
    verdict.check(rate >= given.rate, f"{rate:.0f} deliveries a second, not {given.rate}")
    for webhook in webhooks:
        session.delete(f"{bailee.url}/webhooks/{webhook}", timeout=60).raise_for_status()
    dead_endpoint(session, bailee, port, verdict)


def main():
    given = kit.arguments(__doc__, n=1_000_000, webhooks=100, rate=1000, seconds_max=3600)
    verdict = kit.Verdict()
    with kit.Scratch(given.scratch, verdict) as scratch:
        bailee = kit.Bailee(given.bailee, scratch)
        try:
            bailee.start()
            run(given, bailee, scratch, verdict)
        finally:
            bailee.stop()
    verdict.end()


if __name__ == "__main__":
    main()
