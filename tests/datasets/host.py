"""A web server on this machine that misbehaves when told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host:
    """What is served, and what goes wrong.

    Attributes:
        files: Content by path.
        faults: By path, what befalls the next requests: "cut" ends the body half-way, "503" refuses.
        ranges: Whether parts of files are served.
        versions: Whether files have entity tags.
        asked: Path and Range header of every request.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.ranges = True
        self.versions = True
        self.asked: list[tuple[str, str | None]] = []
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def add(self, path: str, content: bytes, *faults: str) -> str:
        self.files[path] = content
        self.faults[path] = list(faults)
        return self.url(path)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, wanted = request.path, request.headers.get("Range")
        self.asked.append((path, wanted))
        fault = self.faults[path].pop(0) if self.faults.get(path) else ""
        if path not in self.files or fault == "503":
            request.send_error(503 if fault else 404)
            return
        whole = self.files[path]
        tag = f'"{hash(whole)}"'
        start = 0
        if wanted and self.ranges and request.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(whole) and start:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(whole)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        body = whole[start:]
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        if self.versions:
            request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if fault == "cut" else body)


@contextmanager
def serving() -> Iterator[Host]:
    """Run a host for as long as the context lasts."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
