"""A server on this machine that hands out a file well or badly."""

import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CONTENT = random.Random(0).randbytes(600_000)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Answers by the first folder of the path; `gate` ends what stalls."""

    gate = threading.Event()

    def do_GET(self):
        manner = self.path.split("/")[1]
        if manner == "refuse":
            self.send_error(403)
            return
        if manner == "mute":
            self.gate.wait(20)
            return
        body = bytearray(CONTENT)
        if manner == "corrupt":
            body[1000] ^= 1
        self.send_response(200)
        if manner != "unmeasured":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if manner == "truncate":
            self.wfile.write(body[:300_000])
        elif manner == "stall":
            self.wfile.write(body[:300_000])
            self.wfile.flush()
            self.gate.wait(20)
        elif manner == "drip":
            for _ in range(500):  # an end, so that a download without patience fails, not hangs
                if self.gate.wait(0.02):
                    break
                self.wfile.write(b"x")
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def url(monkeypatch, tmp_path):
    """Address of the server; Keras' own folder is `tmp_path`."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that give up are what is tested
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Server.gate.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    Server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()
