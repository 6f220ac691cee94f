"""The service's own client, against the emulator: reads and writes objects, and lists them."""

import os
import sys

from google.api_core.client_options import ClientOptions
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2.credentials import Credentials

endpoint, certificate, token, bucket, verb, *rest = sys.argv[1:]
credentials = Credentials(token)
os.environ["REQUESTS_CA_BUNDLE"] = certificate
session = AuthorizedSession(credentials)
session.verify = certificate
client = storage.Client(
    project="test",
    credentials=credentials,
    _http=session,
    client_options=ClientOptions(api_endpoint=endpoint),
)
box = client.bucket(bucket)
if verb == "put":
    name, path = rest
    blob = box.blob(name, chunk_size=1024 * 1024)
    blob.upload_from_filename(path)
elif verb == "get":
    name, path = rest
    with open(path, "wb") as content:
        content.write(box.blob(name).download_as_bytes(raw_download=True))
elif verb == "names":
    print("\n".join(sorted(blob.name for blob in client.list_blobs(bucket))))
else:
    sys.exit(f"no verb {verb}")
