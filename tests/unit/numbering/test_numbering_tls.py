"""Downloads on a real socket: whose certificate is trusted."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from syncd.clock import SystemClock
from syncd.errors import Transient
from syncd.numbering.download import Downloads

TLS = Path(__file__).parents[2] / "vectors" / "tls"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")

    def log_message(self, *_arguments: object) -> None:
        """Nothing on stderr."""


class _Server(HTTPServer):
    def handle_error(self, *_arguments: object) -> None:
        """A client that does not trust us hangs up: no news."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server with a certificate of its own."""
    server = _Server(("127.0.0.1", 0), _Page)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(TLS / "server.pem")
    server.socket = trust.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/DEF-9xx.csv"
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_a_named_root_is_trusted(url: str) -> None:
    """A server of an authority that nobody knows answers with --ca-file, and without is told."""
    bare = Downloads(SystemClock())
    with pytest.raises(Transient, match="certificate is not trusted") as failed:
        bare.fetch(url)
    assert "--ca-file" in failed.value.hint
    bare.close()
    trusting = Downloads(SystemClock(), ca_file=TLS / "cert.pem")
    assert trusting.fetch(url) == b"page"
    trusting.close()
