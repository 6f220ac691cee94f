"""Outside clients of a running server: the guide client, rclone at the same far systems, then schemathesis in three roles.

`cargo xtask test` calls this with BAILEE_BIN set. `BAILEE_SCHEMATHESIS_N` is the number of examples an operation.
The last line is `N passed, N failed`.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import conformance
import guide_client
import rclone
from server import NO_LIMITS, Server


def main():
    if "BAILEE_BIN" not in os.environ:
        sys.exit("BAILEE_BIN is not set: it names the built server, such as target/debug/bailee")
    begun = time.monotonic()
    passed, failed = guide_client.run()
    print(f"-- guide client: {time.monotonic() - begun:.0f} s", flush=True)
    begun = time.monotonic()
    well, ill = rclone.run()
    passed, failed = passed + well, failed + ill
    print(f"-- rclone: {time.monotonic() - begun:.0f} s", flush=True)
    # A generator that is refused for its speed tests only the limits.
    unlimited = [f"rate_limits.{name}=1000000" for name in NO_LIMITS]
    with Server(*unlimited) as server, tempfile.TemporaryDirectory(prefix="bailee-schemathesis-") as folder:
        os.environ["REQUESTS_CA_BUNDLE"] = server.facts["ca_file"]
        for role, key in conformance.roles(server.facts).items():
            begun = time.monotonic()
            well, ill = conformance.check_role(server.facts, role, key, Path(folder))
            passed, failed = passed + well, failed + ill
            print(f"-- {role}: {well} passed, {ill} failed, {time.monotonic() - begun:.0f} s", flush=True)
        for word in ("panicked", "problem.code=\"internal"):
            if word in server.printed():
                print(f"the server's log holds `{word}`")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
