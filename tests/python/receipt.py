"""Verifies a receipt by its documented form alone: nothing of Bailee is imported, nothing is asked of a server.

    python receipt.py RECEIPT KEY

Ends with 0 if the receipt is good, else with 1 and the reason.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "bailee-receipt-v1"
MEMBERS = {"checkpoint", "entry", "format", "key", "proof", "receipt", "sequence", "signature"}
LEAF = (
    "tenant_id audit_id kind timestamp_ms operation user status ip_address transfer_id "
    "principal_id request_id decision_id subject_id subject_path data"
).split()
TOLD = (
    "transfer_id outcome source destination hash file_id placed_at verified_by source_removed"
).split()


class Bad(Exception):
    """Why a receipt is not good."""


def canonical(value):
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_key(text):
    name, key_id, key = text.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    if key[:1] != b"\x01" or len(key) != 33:
        raise Bad("the trusted key is no Ed25519 key")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if expected.hex() != key_id:
        raise Bad("the trusted key's id is not its own")
    return name, expected, Ed25519PublicKey.from_public_bytes(key[1:])


def check_signature(key, signature, text, what):
    try:
        key.verify(signature, text.encode())
    except InvalidSignature:
        raise Bad(f"the signature of the {what} is not good") from None


def open_checkpoint(note, name, key_id, key):
    text, found, signatures = note.partition("\n\n")
    text += "\n"
    for line in signatures.splitlines() if found else []:
        signer, _, value = line.removeprefix("\u2014 ").partition(" ")
        value = base64.b64decode(value, validate=True)
        if signer == name and value[:4] == key_id:
            check_signature(key, value[4:], text, "checkpoint")
            origin, size, root = text.splitlines()[:3]
            return origin, int(size), base64.b64decode(root, validate=True)
    raise Bad("the checkpoint is not signed with the trusted key")


def leaf_hash(entry):
    leaf = b"\x01"
    for name in LEAF:
        value = entry[name]
        if value is None:
            leaf += b"\xff\xff\xff\xff"
        else:
            value = value.encode()
            leaf += len(value).to_bytes(4, "big") + value
    return hashlib.sha256(b"\x00" + leaf).digest()


def root_of(leaf, index, size, proof):
    place, last, node = index, size - 1, leaf
    if not 0 <= place <= last:
        raise Bad("the checkpoint is older than the entry")
    for other in map(bytes.fromhex, proof):
        if last == 0:
            raise Bad("the proof is too long")
        if place & 1 or place == last:
            node = hashlib.sha256(b"\x01" + other + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + other).digest()
        place, last = place >> 1, last >> 1
    if last != 0:
        raise Bad("the proof is too short")
    return node


def verify(document, trusted):
    """The facts of a good receipt; raises Bad, or what reading it raises."""
    text = document.decode("utf-8")
    value = json.loads(text)
    if value.get("format") != FORMAT:
        raise Bad("the format is not known")
    if canonical(value) != text:
        raise Bad("the document is not in its canonical form")
    if set(value) != MEMBERS or set(value["entry"]) != set(LEAF):
        raise Bad("the members are not those of this format")
    name, key_id, key = read_key(trusted)
    if value["key"] != trusted.strip():
        raise Bad("it is signed with another key")
    signature = base64.b64decode(value["signature"], validate=True)
    unsigned = {member: part for member, part in value.items() if member != "signature"}
    check_signature(key, signature, FORMAT + "\n" + canonical(unsigned), "receipt")
    entry, facts = value["entry"], value["receipt"]
    origin, size, root = open_checkpoint(value["checkpoint"], name, key_id, key)
    if origin != "bailee/" + entry["tenant_id"]:
        raise Bad("the checkpoint is of another journal")
    if root_of(leaf_hash(entry), value["sequence"] - 1, size, value["proof"]) != root:
        raise Bad("the entry is not in the journal of the checkpoint")
    data = json.loads(entry["data"])
    for fact in TOLD:
        if data.get(fact) != facts[fact]:
            raise Bad(f"`{fact}` is not what the journal says")
    told_size = data["bytes_total"] if facts["files"] is None else data["bytes_done"]
    if facts["tenant_id"] != entry["tenant_id"] or facts["size"] != told_size:
        raise Bad("tenant or size is not what the journal says")
    return facts


def main():
    with open(sys.argv[1], "rb") as file:
        document = file.read()
    try:
        facts = verify(document, sys.argv[2])
    except (Bad, ValueError, KeyError, TypeError) as why:
        sys.exit(f"not good: {why}")
    print(f"good: {facts['transfer_id']} {facts['hash']} {facts['size']}")


if __name__ == "__main__":
    main()
