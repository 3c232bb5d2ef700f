"""A web server on this machine that answers as a test tells it."""

from __future__ import annotations

import http.server
import threading


class Server:
    """Answers by path with (status, headers, body) and keeps what was asked."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                outer.asked.append(self.path)
                status, headers, body = outer.answers.get(self.path, (404, {}, b'none'))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        Handler.do_GET = Handler.answer

        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.base = f'http://127.0.0.1:{self.http.server_port}'
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={'poll_interval': 0.01})
        self.thread.start()

    def give(self, path: str, body: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> str:
        announced = {} if length == -1 else {'Content-Length': str(len(body) if length is None else length)}
        self.answers[path] = (status, {**announced, **{k.replace('_', '-'): v for k, v in headers.items()}}, body)
        return self.base + path

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
