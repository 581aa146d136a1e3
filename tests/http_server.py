"""Serves a WSGI app from a thread of the tests' process.

The standard library's server and not Werkzeug's: a browser that goes away in the middle of an answer makes
Werkzeug forget to close what it was sending, and the suite takes an unclosed file for the error it is.
"""

import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Server(ThreadingMixIn, WSGIServer):
    # browsers open connections ahead of need; nobody should wait for those to end
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format, *values):
        pass


@contextmanager
def serving(app):
    """The address under which `app` answers until the block ends."""
    with make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
