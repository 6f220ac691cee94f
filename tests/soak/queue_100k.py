"""A hundred thousand queued files, a kill -9, and how soon the next life moves the first of them.

Ends well when the server is ready and moves files again within ten seconds, no file is lost or doubled, and all of them
end when their transfers are cancelled.
"""

import time

import kit

SECONDS_MAX = 10.0
LISTED_SECONDS_MAX = 600


def counts(session, bailee, ids):
    """Of all transfers together: files that are known, and files that ended."""
    total = ended = 0
    for transfer_id in ids:
        answer = session.get(f"{bailee.url}/transfers/{transfer_id}", timeout=60)
        answer.raise_for_status()
        whole = answer.json()
        total += whole["files_total"] or 0
        ended += whole["files_done"] + whole["files_skipped"] + whole["files_failed"]
    return total, ended


def submit(session, bailee, number, files):
    wish = {
        "sources": ["near:/one.txt"] * files,
        "destination": f"/in/{number}/",
        "on_conflict": "rename" if number % 2 else "skip",
    }
    answer = session.post(f"{bailee.url}/transfers", json=wish, timeout=60)
    answer.raise_for_status()
    return answer.json()["transfer_id"]


def main():
    given = kit.arguments(__doc__, transfers=11, files=10_000)
    verdict = kit.Verdict()
    with kit.Scratch(given.scratch, verdict) as scratch:
        exchange = scratch / "exchange"
        exchange.mkdir()
        (exchange / "one.txt").write_bytes(kit.content(given.seed, 100))
        settings = {"local.allow_folders": f'["{exchange}"]'}
        bailee = kit.Bailee(given.bailee, scratch, settings)
        try:
            bailee.start()
            run(given, bailee, exchange, verdict)
        finally:
            bailee.stop()
    verdict.end()


def run(given, bailee, exchange, verdict):
    session = bailee.session()
    remote = {"name": "near", "kind": "local", "folder": str(exchange)}
    session.post(f"{bailee.url}/remotes", json=remote, timeout=10).raise_for_status()
    begun = time.monotonic()
    ids = [submit(session, bailee, number, given.files) for number in range(given.transfers)]
    wanted = given.transfers * given.files
    while True:
        total, ended = counts(session, bailee, ids)
        # The last transfer is listed behind files that were queued before it was submitted.
        if total >= wanted - given.files or time.monotonic() - begun > LISTED_SECONDS_MAX:
            break
        time.sleep(0.5)
    seconds = time.monotonic() - begun
    print(f"{total} files known, {total - ended} queued after {seconds:.1f} s", flush=True)
    known = total
    verdict.check(known >= wanted - given.files, f"most of {wanted} files are known, not {known}")
    memory = bailee.status_kib("VmHWM") // 1024
    bailee.kill()
    begun = time.monotonic()
    bailee.start()
    session = bailee.session()
    total, before = counts(session, bailee, ids)
    ready = time.monotonic() - begun
    while time.monotonic() - begun < 60:
        _, now = counts(session, bailee, ids)
        if now > before:
            break
        time.sleep(0.05)
    moving = time.monotonic() - begun
    print(
        f"{total - before} queued at the kill; ready after {bailee.ready_seconds[-1]:.1f} s, "
        f"counted after {ready:.1f} s, moving again after {moving:.1f} s; peak memory before {memory} MiB",
        flush=True,
    )
    verdict.check(total >= known, f"{known} files are known after the kill, not {total}")
    verdict.check(moving <= SECONDS_MAX, f"files move again within {SECONDS_MAX} s")
    time.sleep(10)
    _, later = counts(session, bailee, ids)
    print(f"{(later - now) / 10:.0f} files a second", flush=True)
    begun = time.monotonic()
    for transfer_id in ids:
        session.post(f"{bailee.url}/transfers/{transfer_id}/cancel", timeout=60)
    while time.monotonic() - begun < 600:
        total, ended = counts(session, bailee, ids)
        states = [
            session.get(f"{bailee.url}/transfers/{transfer_id}", timeout=60).json()["state"]
            for transfer_id in ids
        ]
        if set(states) <= {"failed", "completed"}:
            break
        time.sleep(1)
    print(f"all ended {time.monotonic() - begun:.1f} s after they were cancelled", flush=True)
    verdict.check(ended == total, f"{total} files ended, not {ended}")


if __name__ == "__main__":
    main()
