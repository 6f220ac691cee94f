"""The service's own client, against the emulator: makes containers and signatures, reads and writes blobs."""

import datetime
import sys

from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

endpoint, certificate, account, key, container, verb, *rest = sys.argv[1:]
service = BlobServiceClient(
    f"{endpoint}/{account}",
    credential={"account_name": account, "account_key": key},
    connection_verify=certificate,
)
box = service.get_container_client(container)
if verb == "make":
    box.create_container()
elif verb == "sign":
    print(
        generate_container_sas(
            account,
            container,
            account_key=key,
            permission=ContainerSasPermissions.from_string(rest[0]),
            expiry=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1),
        )
    )
elif verb == "put":
    name, path = rest
    # Small blocks, so that a file of some megabytes comes in several.
    blob = BlobServiceClient(
        f"{endpoint}/{account}",
        credential={"account_name": account, "account_key": key},
        connection_verify=certificate,
        max_single_put_size=1024 * 1024,
        max_block_size=1024 * 1024,
    ).get_blob_client(container, name)
    with open(path, "rb") as content:
        blob.upload_blob(content, overwrite=True, metadata={"kind": "test"})
elif verb == "get":
    name, path = rest
    with open(path, "wb") as content:
        box.download_blob(name).readinto(content)
elif verb == "names":
    print("\n".join(sorted(blob.name for blob in box.list_blobs())))
else:
    sys.exit(f"no verb {verb}")
