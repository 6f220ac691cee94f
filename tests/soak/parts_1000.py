"""Many part uploads at once, each cut at random in every third part and retried.

Ends well when every file has the right hash, no answer was a 5xx, no acknowledged part was forgotten, and the server's
peak memory stayed within the bound above idle.
"""

import asyncio
import collections
import hashlib
import json
import pathlib
import random
import ssl
import time

import kit

PART_BYTES = kit.MIB
CHUNK_BYTES = 64 * 1024
ANSWER_SECONDS_MAX = 300
TRIES_MAX = 8
EXTRA_BYTES_MAX = 256 * kit.MIB
DOWNLOADS = 25


class Broken(Exception):
    """The connection ended."""


class Line:
    """One HTTP/1.1 connection, opened when needed and again after a cut."""

    def __init__(self, run):
        self.run = run
        self.reader = self.writer = None

    async def _open(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.run.bailee.port, ssl=self.run.tls, ssl_handshake_timeout=120
        )

    def cut(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def call(self, method, path, body=b"", cut_after=None):
        """Status and body. With `cut_after` the connection is cut after so many bytes of the body."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._call(method, path, body, cut_after)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError) as error:
            self.cut()
            raise Broken(f"{method} {path}: {type(error).__name__} {error}") from error

    async def _call(self, method, path, body, cut_after):
        if self.writer is None:
            await self._open()
        head = (
            f"{method} /v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.run.bailee.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode())
        view = memoryview(body)[: len(body) if cut_after is None else cut_after]
        for offset in range(0, len(view), CHUNK_BYTES):
            self.writer.write(view[offset : offset + CHUNK_BYTES])
            await self.writer.drain()
        if cut_after is not None:
            self.cut()
            return None, b""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        headers = dict(
            line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
        )
        answer = await self.reader.readexactly(int(headers.get("content-length", 0)))
        self.run.statuses[f"{method} {status}"] += 1
        if headers.get("connection") == "close":
            self.cut()
        return status, answer


class Run:
    def __init__(self, given, bailee, verdict):
        self.given, self.bailee, self.verdict = given, bailee, verdict
        self.tls = ssl.create_default_context(cafile=bailee.ca)
        self.statuses = collections.Counter()
        self.problems = collections.Counter()
        self.broken = collections.Counter()
        self.cuts = 0
        self.slowest = 0.0
        self.noise = random.Random(given.seed).randbytes(2 * PART_BYTES)
        self.files = {}

    def part(self, client, number):
        """Bytes that differ for each client and part, without work for each byte."""
        head = kit.CANARY + b"-%d-%d\n" % (client, number)
        start = (client * 7919 + number * 104729) % PART_BYTES
        return head + self.noise[start : start + PART_BYTES - len(head)]

    async def retried(self, line, method, path, body=b"", wanted=(200, 201)):
        """Calls until it succeeds; only what is transient is tried again."""
        for attempt in range(TRIES_MAX):
            begun = time.monotonic()
            try:
                status, answer = await line.call(method, path, body)
            except Broken as error:
                self.broken[str(error).split(": ", 1)[1][:80]] += 1
                await asyncio.sleep(0.2 * 2**attempt)
                continue
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if status in wanted:
                return json.loads(answer)
            self.problems[f"{method} {status} {json.loads(answer or b'{}').get('code')}"] += 1
            if status not in (408, 425, 429, 500, 502, 503, 504):
                raise RuntimeError(f"{method} {path}: {status} {answer!r}")
            await asyncio.sleep(0.2 * 2**attempt)
        raise RuntimeError(f"{method} {path}: gave up")

    async def client(self, number, opened, all_open):
        chance = random.Random(f"{self.given.seed}-{number}")
        line = Line(self)
        order = {"destination": f"many/{number % 50}", "filename": f"{number}.bin"}
        order |= {"size": self.given.parts * PART_BYTES, "part_size": PART_BYTES}
        made = await self.retried(line, "POST", "/uploads", json.dumps(order).encode())
        session = made["session_id"]
        opened.release()
        await all_open.wait()
        digest = hashlib.sha256()
        for index in range(self.given.parts):
            body = self.part(number, index)
            digest.update(body)
            path = f"/uploads/{session}/parts/{index}"
            if index % 3 == 2:
                self.cuts += 1
                try:
                    await line.call("PUT", path, body, cut_after=chance.randrange(len(body)))
                except Broken:
                    pass
                held = await self.retried(line, "GET", f"/uploads/{session}")
                missing = set(range(index)) - set(held["received"])
                self.verdict.check(not missing, f"{session}: acknowledged parts {missing} forgotten")
                self.verdict.check(index not in held["received"], f"{session}: cut part {index} held")
            put = await self.retried(line, "PUT", path, body)
            if put["hash"] != kit.sha256(body):
                self.verdict.check(False, f"{session}: hash of part {index} differs")
        wanted = digest.hexdigest()
        body = json.dumps({"hash": wanted}).encode()
        file = await self.retried(line, "POST", f"/uploads/{session}/complete", body)
        self.verdict.check(file["hash"] == wanted, f"{session}: hash differs")
        self.files[number] = (file["file_id"], wanted)
        line.cut()

    async def download(self, number):
        line = Line(self)
        file_id, wanted = self.files[number]
        status, body = await line.call("GET", f"/files/{file_id}/download")
        same = status == 200 and kit.sha256(body) == wanted
        self.verdict.check(same, f"{file_id}: download {status} differs")
        line.cut()

    async def all(self):
        opened, all_open = asyncio.Semaphore(0), asyncio.Event()
        count = self.given.clients
        tasks = [asyncio.create_task(self.client(n, opened, all_open)) for n in range(count)]

        async def watch():
            for _ in range(count):
                await opened.acquire()
            print(f"{count} sessions open after {time.monotonic() - self.begun:.1f} s", flush=True)
            all_open.set()

        self.begun = time.monotonic()
        watcher = asyncio.create_task(watch())
        done = await asyncio.gather(*tasks, return_exceptions=True)
        watcher.cancel()
        self.spent = time.monotonic() - self.begun
        failed = [repr(error) for error in done if isinstance(error, BaseException)]
        self.verdict.check(not failed, f"{len(failed)} clients failed: {failed[:3]}")
        numbers = random.Random(self.given.seed).sample(sorted(self.files), k=min(DOWNLOADS, len(self.files)))
        for number in numbers:
            await self.download(number)


def main():
    given = kit.arguments(__doc__, clients=1000, parts=8)
    verdict = kit.Verdict()
    with kit.Scratch(given.scratch, verdict) as scratch:
        bailee = kit.Bailee(given.bailee, scratch)
        try:
            bailee.start()
            time.sleep(2)
            run = Run(given, bailee, verdict)
            idle = bailee.status_kib("VmRSS") * 1024
            pathlib.Path(f"/proc/{bailee.process.pid}/clear_refs").write_text("5")
            asyncio.run(run.all())
            peak = bailee.status_kib("VmHWM") * 1024
            settle(run, bailee, verdict)
            mib = given.clients * given.parts * PART_BYTES / kit.MIB
            print(f"{len(run.files)} of {given.clients} files, {mib:.0f} MiB in {run.spent:.1f} s")
            print(f"{run.cuts} cuts, slowest answer {run.slowest:.1f} s, statuses {dict(run.statuses)}")
            print(f"problems {dict(run.problems)}, broken {dict(run.broken)}")
            print(f"memory: idle {idle / kit.MIB:.0f} MiB, peak {peak / kit.MIB:.0f} MiB")
            verdict.check(peak - idle <= EXTRA_BYTES_MAX, f"memory: {(peak - idle) / kit.MIB:.0f} MiB above idle")
            bad = {name: n for name, n in run.statuses.items() if name.split()[1] >= "500"}
            verdict.check(not bad, f"5xx answers: {bad}")
            verdict.check("PUT 429" not in run.statuses, "parts were rate limited")
        finally:
            bailee.stop()
        code, said = bailee.scrub()
        verdict.check(code == 0, f"scrub: {code} {said[-500:]}")
        print("scrub:", said.splitlines()[-1] if said else code)
    verdict.end()


def settle(run, bailee, verdict):
    """What is left of the load: no open session, no temporary file, the usage that a recount gives."""
    time.sleep(2)
    with bailee.session() as session:
        left = list(kit.pages(session, f"{bailee.url}/uploads"))
        verdict.check(not left, f"{len(left)} sessions are left")
        session.headers["Authorization"] = f"Bearer {bailee.facts['operator_key']}"
        tenant = bailee.facts["tenant_id"]
        usage = session.get(f"{bailee.url}/tenants/{tenant}/usage", timeout=30).json()
        wanted = (len(run.files), len(run.files) * run.given.parts * PART_BYTES)
        found = (usage["files_used"], usage["bytes_used"])
        verdict.check(found == wanted, f"usage {found}, recounted {wanted}")
    print(f"descriptors after: {len(list(pathlib.Path(f'/proc/{bailee.process.pid}/fd').iterdir()))}")


if __name__ == "__main__":
    main()
