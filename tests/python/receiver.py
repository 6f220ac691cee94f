"""The integration guide's webhook receiver: a hex HMAC over the exact body, 200 or 401."""

import hashlib
import hmac
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def verify(secret, body, signature):
    """As the guide does it: the secret as text, compared in constant time."""
    wanted = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, signature)


class Receiver:
    """Listens on loopback; keeps what it was sent as `(headers, body, answer, time)`; refuses the first `refuse`."""

    def __init__(self, refuse):
        self.secret = None
        self.deliveries = []
        self.left_to_refuse = refuse
        self.changed = threading.Condition()

    def __enter__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver._take(dict(self.headers), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def _take(self, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        with self.changed:
            is_genuine = verify(self.secret, body, headers["x-signature"])
            is_taken = is_genuine and self.left_to_refuse == 0
            self.left_to_refuse = max(0, self.left_to_refuse - 1)
            answer = 200 if is_taken else 401
            self.deliveries.append((headers, body, answer, time.monotonic()))
            self.changed.notify_all()
            return answer

    def wait(self, count, seconds):
        """The deliveries once there are `count`; fails when they do not come in time."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.deliveries) >= count, seconds)
            assert came, f"{len(self.deliveries)} of {count} deliveries within {seconds} s"
            return list(self.deliveries)

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
