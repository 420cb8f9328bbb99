"""A server on this machine that answers as a test says: what webhooks and other requests to the outside arrive at."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers what the test said for the path."""

    answers: dict[str, Callable[[Handler], None]] = {}
    seen: list[str] = []

    def do_GET(self) -> None:
        type(self).seen.append(self.path)
        self.answers[self.path](self)

    def do_POST(self) -> None:
        self.do_GET()

    def said(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def say(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(
    certificate: Path | None = None, /, **answers: Callable[[Handler], None]
) -> Iterator[tuple[str, list[str]]]:
    """`host:port` of a server with these paths, and the paths that were asked for; by TLS with a certificate.

    The key is beside the certificate, as `.key`.
    """
    Handler.answers = {f"/{name}": answer for name, answer in answers.items()}
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", Handler.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
