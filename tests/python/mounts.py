"""A comparison of the two mounts, generated from the API document: the same call must have the same answer."""

import re

import requests

# What no two answers share.
VARYING_HEADERS = {"date", "x-request-id", "ratelimit", "location"}
VARYING_FIELDS = {"request_id", "signed_at", "updated_at", "timestamp", "next_cursor", "decision_id"}
# A cursor is sealed with a fresh nonce.
CURSOR = re.compile(r"cursor=[\w-]+")
# An identifier of the right form that names nothing, by the parameter's name.
ABSENT = "01m7yp4pz8ev5b9ts55c7j3qdp"
PREFIXES = {"key_id": "key", "audit_id": "aud", "delivery_id": "dlv", "file_id": "fil", "remote_id": "rem",
            "service_account_id": "svc", "tenant_id": "ten", "transfer_id": "xfr", "session_id": "upl",
            "user_id": "usr", "webhook_id": "whk"}


def compare_mounts(url, key):
    """Calls every operation under `/` and `/v1`: signed in and not, with absent and malformed ids, and real reads."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    document = session.get(f"{url}/openapi.json", timeout=30).json()
    calls = list(operations(document))
    assert len(calls) >= 80, f"only {len(calls)} operations in the document"
    for method, path, operation in calls:
        if operation["operationId"] in ("events.stream", "audit.export"):
            continue  # one has no end, the other grows with each call; heads are compared below
        for headers, body in (({"Authorization": "Bearer none"}, None), ({}, None), ({}, {"unknown": 1})):
            if body is not None and "requestBody" not in operation:
                continue
            for value in (ABSENT, "malformed"):
                filled = fill(path, value)
                compare(session, url, method, filled, headers=headers, json=body)
                if filled == path:
                    break
        compare(session, url, method, fill(path, ABSENT), params={"surely_unknown": "1"})
    compare_reads(session, url, calls)
    for path in ("/events/stream", "/audit/export"):
        compare(session, url, "GET", path, headers={"Authorization": "Bearer none"})
    for method in ("OPTIONS", "TRACE", "DELETE"):
        compare(session, url, method, "/auth/validate")
    compare(session, url, "GET", "/no/such/path")


def compare_reads(session, url, calls):
    """Every list, and the first object of each."""
    reads = {path for method, path, _ in calls if method == "GET"}
    for path in sorted(reads):
        if "{" in path or path in ("/events/stream", "/audit/export"):
            continue
        answer = compare(session, url, "GET", path, params={"path": "/"} if path.startswith("/folders") else None)
        listed = answer.json() if answer.status_code == 200 and "json" in answer.headers["Content-Type"] else {}
        for one in (listed.get("data") or [])[:1]:
            for name in PREFIXES:
                wanted = f"{path}/{{{name}}}"
                for deeper in (wanted, wanted + "/versions", wanted + "/download", wanted + "/status"):
                    if deeper in reads and one.get(name):
                        compare(session, url, "GET", deeper.replace(f"{{{name}}}", one[name]))


def compare(session, url, method, path, **more):
    root, v1 = (session.request(method, url + mount + path, timeout=60, **more) for mount in ("", "/v1"))
    if body_of(root) != body_of(v1):  # something may have happened in between, such as an entry of the audit trail
        root, v1 = (session.request(method, url + mount + path, timeout=60, **more) for mount in ("", "/v1"))
    for what, left, right in (("status", root.status_code, v1.status_code),
                              ("headers", headers_of(root), headers_of(v1)),
                              ("body", body_of(root), body_of(v1))):
        assert left == right, f"{method} {path} {more}: {what} differ\n/    {left}\n/v1  {right}"
    return v1


def headers_of(answer):
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {name: CURSOR.sub("cursor=…", value) for name, value in headers.items() if name not in VARYING_HEADERS}


def body_of(answer):
    if not answer.content or "json" not in answer.headers.get("Content-Type", ""):
        return answer.content
    return without_varying(answer.json())


def without_varying(value):
    if isinstance(value, dict):
        return {name: without_varying(inner) for name, inner in value.items() if name not in VARYING_FIELDS}
    if isinstance(value, list):
        return [without_varying(inner) for inner in value]
    return value


def operations(document):
    for path, item in sorted(document["paths"].items()):
        for method, operation in sorted(item.items()):
            if isinstance(operation, dict) and "operationId" in operation:
                yield method.upper(), path, operation


def fill(path, value):
    for name, prefix in PREFIXES.items():
        path = path.replace(f"{{{name}}}", value if value != ABSENT else f"{prefix}_{ABSENT}")
    return path.replace("{part}", "0" if value == ABSENT else "x").replace("{tree_size}", "1" if value == ABSENT else "x")
