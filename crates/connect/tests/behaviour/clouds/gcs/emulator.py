"""Google Cloud Storage for tests: gcp-storage-emulator, and in front of it what the real service does and that leaves out.

That is: TLS, access tokens (401 without the right one), conditions on generations (412), parts of a session that end
early (the service keeps whole multiples of 256 KiB of them), bodies that end early (the service takes nothing), parts
below what a session holds (it takes them and drops what it has), giving up a session (499, then 404), checksums in
X-Goog-Hash, ranges behind the end (416), empty rests, and pages of listings.
"""

import json
import re
import ssl
import sys
from functools import partial
from http import HTTPStatus, server

from gcp_storage_emulator import server as emulator
from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import buckets, objects
from gcp_storage_emulator.storage import Storage

GRAIN = 256 * 1024
port, certificate, key, token, bucket = sys.argv[1:]
conditions = {}


class Status:
    def __init__(self, value, phrase):
        self.value, self.phrase = value, phrase


def refuse(response, code, phrase, reason):
    response.status = Status(code, phrase)
    response.json({"error": {"code": code, "message": phrase, "errors": [{"reason": reason}]}})


def generation(storage, bucket_name, name):
    try:
        return int(storage.get_file_obj(bucket_name, name)["generation"])
    except NotFound:
        return 0


def first(request, name):
    return (request.query.get(name) or [None])[0]


def holds(request, storage, parameter, bucket_name, name):
    wanted = first(request, parameter)
    return wanted is None or int(wanted) == generation(storage, bucket_name, name)


def is_cut(request):
    length = int(request.get_header("Content-Length") or 0)
    return len(request.data or b"") < length if request.get_header("Content-Type") != "application/json" else False


def hash_fits(request, content):
    said = request.get_header("X-Goog-Hash")
    return said is None or said == "crc32c=" + objects._crc32c(content)


def insert(request, response, storage):
    bucket_name, name = request.params["bucket_name"], first(request, "name")
    if first(request, "upload_id"):
        return partial_upload(request, response, storage)
    if name is None and isinstance(request.data, dict):
        name = request.data.get("name") or request.data.get("meta", {}).get("name")
    if not holds(request, storage, "ifGenerationMatch", bucket_name, name):
        return refuse(response, 412, "Precondition Failed", "conditionNotMet")
    if first(request, "uploadType") == "media":
        if is_cut(request):
            return refuse(response, 400, "Bad Request", "cut")
        if not hash_fits(request, request.data or b""):
            return refuse(response, 400, "Bad Request", "hash")
        if request.data is None:
            request._data = b""
    objects.insert(request, response, storage)
    location = response._headers.get("Location")
    if location:
        response["Location"] = location.replace("http://", "https://", 1)
    if location and first(request, "ifGenerationMatch"):
        found = re.search("upload_id=([^&]*)", location)
        conditions[emulator.unquote(found.group(1).replace("+", " "))] = name


def partial_upload(request, response, storage):
    upload = first(request, "upload_id")
    try:
        session = storage.get_resumable_file_obj(upload)
    except NotFound:
        return refuse(response, 404, "Not Found", "notFound")
    kept = storage.get_resumable_byte_count(upload)
    said = request.get_header("Content-Range") or ""
    whole = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", said)
    total = re.fullmatch(r"bytes \S+/(\d+)", said)
    if whole:
        start, data = int(whole.group(1)), request.data or b""
        if start > kept:
            return refuse(response, 503, "Service Unavailable", "gap")
        if len(data) < int(whole.group(2)) - start + 1:
            end = (start + len(data)) // GRAIN * GRAIN
            data = data[: max(0, end - start)]
            if end > kept:
                storage.add_to_resumable_upload(upload, data[kept - start :], expected_start=kept)
            request._request_handler.close_connection = True
            return refuse(response, 503, "Service Unavailable", "cut")
        if not total and len(data) % GRAIN:
            return refuse(response, 400, "Bad Request", "grain")
        request._data = data[kept - start :]
        end = int(whole.group(2))
        if kept <= end:
            request._request_handler.headers.replace_header("Content-Range", f"bytes {kept}-{end}/{whole.group(3)}")
        else:
            request._request_handler.headers.replace_header("Content-Range", f"bytes */{whole.group(3)}")
    if total:
        name = conditions.get(upload)
        if name is not None and generation(storage, session["bucket"], name):
            return refuse(response, 412, "Precondition Failed", "conditionNotMet")
    objects.upload_partial(request, response, storage)
    if response.status == objects.GoogleHTTPStatus.RESUME_INCOMPLETE and not storage.get_resumable_byte_count(upload):
        del response._headers["Range"]


def give_up(request, response, storage):
    upload = first(request, "upload_id")
    try:
        storage.get_resumable_file_obj(upload)
    except NotFound:
        return refuse(response, 404, "Not Found", "notFound")
    storage.delete_resumable_file_obj(upload)
    response.status = Status(499, "Client Closed Request")


def matched(handler, parameter="ifGenerationMatch", place=("bucket_name", "object_id")):
    def run(request, response, storage):
        names = [request.params[part] for part in place]
        if generation(storage, *names) == 0 and place[0] == "bucket_name":
            return refuse(response, 404, "Not Found", "notFound")
        if not holds(request, storage, parameter, *names):
            return refuse(response, 412, "Precondition Failed", "conditionNotMet")
        handler(request, response, storage)

    return run


def read(request, response, storage):
    said = request.get_header("Range")
    if first(request, "alt") == "media" and said:
        size = len(storage.get_file(request.params["bucket_name"], request.params["object_id"]))
        if int(said.removeprefix("bytes=").split("-")[0]) >= size:
            return refuse(response, 416, "Range Not Satisfiable", "range")
    objects.get(request, response, storage)


def pages(request, response, storage):
    objects.ls(request, response, storage)
    if response.status != HTTPStatus.OK:
        return
    page = json.loads(response._content)
    names = sorted({(item["name"], 0) for item in page["items"]} | {(name, 1) for name in page["prefixes"]})
    after = first(request, "pageToken") or ""
    most = int(first(request, "maxResults") or 1000)
    left = [entry for entry in names if entry[0] > after]
    shown = {name for name, _ in left[:most]}
    page["items"] = [item for item in page["items"] if item["name"] in shown]
    page["prefixes"] = [name for name in page["prefixes"] if name in shown]
    if len(left) > most:
        page["nextPageToken"] = left[most - 1][0]
    response.json(page)


def authorised(handler):
    def run(request, response, storage):
        request.data  # read whatever comes of it, or the connection would go on with it as a request
        if request.get_header("Authorization") != "Bearer " + token:
            return refuse(response, 401, "Unauthorized", "authError")
        handler(request, response, storage)

    return run


replaced = {
    objects.insert: insert,
    objects.upload_partial: partial_upload,
    objects.get: matched(read),
    objects.delete: matched(objects.delete),
    objects.rewrite: matched(
        matched(objects.rewrite, place=("dest_bucket_name", "dest_object_id")), "ifSourceGenerationMatch"
    ),
    objects.ls: pages,
}
routes = []
for pattern, handlers in emulator.HANDLERS:
    handlers = {method: authorised(replaced.get(handler, handler)) for method, handler in handlers.items()}
    if "upload" in pattern:
        handlers["DELETE"] = authorised(give_up)
    routes.append((pattern, handlers))
emulator.HANDLERS = tuple(routes)


class Handler(emulator.RequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60


storage = Storage(use_memory_fs=True)
buckets.create_bucket(bucket, storage)
httpd = server.ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Handler, storage))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
# Each line shakes hands in its own thread.
httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
httpd.serve_forever()
