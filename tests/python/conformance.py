"""schemathesis against a running server, once a role; its JUnit file counts the tests."""

import os
import subprocess
import sys
import xml.etree.ElementTree as XmlTree
from pathlib import Path

import requests

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("BAILEE_SCHEMATHESIS_N", "10"))
# A ceiling, not the pace: a role takes about 40 s with 10 examples.
RUN_SECONDS_MAX = 200 + 12 * max(0, EXAMPLES - 10)
RESPONSE_SECONDS_MAX = 5
# The stream has no end, and a call that never ends tells nothing; the guide client and the Rust tests read it.
LEFT_OUT = ["events.stream"]


def roles(facts):
    """A key a role, each for schemathesis alone: what it finds to revoke is its own."""
    operator = {"Authorization": f"Bearer {facts['operator_key']}"}
    answer = requests.post(f"{facts['url']}/v1/tenants", json={"name": "second"}, headers=operator, timeout=30)
    assert answer.status_code == 201, answer.text
    return {
        "administrator": facts["api_key"],
        "second-tenant": answer.json()["administrator"]["api_key"],
        "operator": facts["operator_key"],
    }


def check_role(facts, role, key, folder):
    """Runs every check in every phase; gives how many operations passed and failed, in all phases."""
    report = folder / f"{role}.xml"
    line = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{facts['url']}/openapi.json", "--url", f"{facts['url']}/v1", "--tls-verify", facts["ca_file"],
        "-H", f"Authorization: Bearer {key}", "--checks", "all", "--mode", "all",
        "--phases", "examples,coverage,fuzzing,stateful", "-n", str(EXAMPLES), "--workers", "2",
        "--max-response-time", str(RESPONSE_SECONDS_MAX), "--request-timeout", "20", "--continue-on-failure",
        # About the generator's ease, not about the server.
        "--suppress-health-check", "all",
        "--report", "junit", "--report-junit-path", str(report), "--report-dir", str(folder),
    ]
    for operation in LEFT_OUT:
        line += ["--exclude-operation-id", operation]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE),
                                "REQUESTS_CA_BUNDLE": facts["ca_file"]}
    print(f"\n-- schemathesis as {role}, {EXAMPLES} examples", flush=True)
    try:
        ended = subprocess.run(line, env=environment, cwd=folder, timeout=RUN_SECONDS_MAX, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        print(f"schemathesis did not end within {RUN_SECONDS_MAX} s")
        return 0, 1
    passed, failed = counted(report)
    if ended.returncode != 0 or failed:
        print(ended.stdout, ended.stderr, sep="\n")
        failed = max(failed, 1)
    else:
        print("\n".join(line for line in ended.stdout.splitlines() if "generated" in line or "passed" in line))
    return passed, failed


def counted(report):
    if not report.is_file():
        return 0, 1
    cases = XmlTree.parse(report).getroot().findall(".//testcase")
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return len(cases) - failed - skipped, failed
