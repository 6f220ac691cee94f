"""Outside clients against one running server: the guide's client, then schemathesis for both tenants.

`BAILEE_BIN` names the program. Ends with `N passed, N failed` and a non-zero code if anything failed.
"""

import pathlib
import subprocess
import sys
import time
import traceback

import guide_client
from server import Server

SCHEMATHESIS_SECONDS_MAX = 170
EXAMPLES = "20"
# What the guide's client must not meet is tested by itself; generated requests are many.
SETTINGS = ["rate_limits.write=1000000", "rate_limits.read=1000000"]


def attempt(name, check, results):
    begun = time.monotonic()
    try:
        check()
    except Exception:  # whatever a check raises is its failure
        results.append((name, False))
        print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    else:
        results.append((name, True))
        print(f"ok     {name} ({time.monotonic() - begun:.1f} s)", flush=True)


def schemathesis(server, tenant, key):
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    command = [
        str(program), "run", f"{server.url}/openapi.json", "--url", f"{server.url}/v1",
        "--tls-verify", server.ca_file, "-H", f"Authorization: Bearer {key}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "-n", EXAMPLES,
        "--request-timeout", "30", "--max-failures", "30", "--no-color",
        # The stream of events has no end.
        "--exclude-operation-id", "events.stream",
    ]
    if tenant == "demo":
        # Keys of the tenant under test must outlive it; the other tenant tries these too.
        for operation in ("api_keys.revoke", "api_keys.rotate", "api_keys.update"):
            command += ["--exclude-operation-id", operation]
    done = subprocess.run(command, timeout=SCHEMATHESIS_SECONDS_MAX, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout[-20000:] + done.stderr[-2000:])


def stops_cleanly(server):
    assert server.stop(), "the server did not end well"
    complaints = server.complaints()
    assert not complaints, "\n".join(complaints[:20])


def main():
    results = []
    wanted = sys.argv[1:]
    server = Server(SETTINGS)
    try:
        if not wanted or "guide" in wanted:
            for name, check in guide_client.run(server):
                attempt(name, check, results)
        if not wanted or "schemathesis" in wanted:
            keys = {"demo": server.key, "bolt": server.tenant("bolt")}
            for tenant, key in keys.items():
                attempt(f"schemathesis as {tenant}", lambda tenant=tenant, key=key: schemathesis(server, tenant, key), results)
        attempt("the server stops and has nothing to complain about", lambda: stops_cleanly(server), results)
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.remove()
    failed = sum(1 for _, passed in results if not passed)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
