"""An FTPS server for tests. One JSON object on the command line says how; `ready` on a line of its own says that it runs."""

import json
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

options = json.loads(sys.argv[1])
authorizer = DummyAuthorizer()
authorizer.add_user("ann", options["password"], options["files"], perm="elradfmwMT")
authorizer.add_user("guest", options["password"], options["files"], perm="elr")


class Handler(TLS_FTPHandler):
    authorizer = authorizer
    certfile = options["certificate"]
    keyfile = options["key"]
    tls_control_required = True
    tls_data_required = True
    passive_ports = range(options["passive_from"], options["passive_to"])
    # Named to clients, who must not go there.
    masquerade_address = "192.0.2.1"
    timeout = 120


if not options["has_mlst"]:
    Handler.proto_cmds = {
        name: what
        for name, what in TLS_FTPHandler.proto_cmds.items()
        if name not in ("MLST", "MLSD")
    }

if options["is_implicit"]:

    class Implicit(Handler):
        def handle(self):
            self.secure_connection(self.ssl_context)

        def handle_ssl_established(self):
            TLS_FTPHandler.handle(self)

    Handler = Implicit

server = ThreadedFTPServer(("127.0.0.1", options["port"]), Handler)
print("ready", flush=True)
server.serve_forever(handle_exit=False)
