"""A shop of its own, on another origin than the console: pages and workers that a test writes."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SNIPPET = '<script id="_etLoader" data-secure-code="{code}" {attributes} src="{server}/code/signalize.js" async></script>'
PAGE = "<!doctype html><title>{title}</title><body><script>{before}</script>{snippet}</body>"


class Site:
    """Use as a context manager. ``files`` is path → (content type, text); every other path is a page.

    ``posted`` is what browsers reported here instead of to the console; while ``is_down`` nobody is answered.
    """

    def __init__(self, server: str, secure_code: str = "") -> None:
        self.server, self.secure_code = server, secure_code
        self.files: dict[str, tuple[str, str]] = {}
        self.posted: list[dict[str, Any]] = []
        self.reset()

    def reset(self) -> None:
        self.attributes = self.before = ""
        self.is_down = False
        self.posted.clear()

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, text = site.answer(self.path.split("?")[0])
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if site.is_down:
                    self.connection.close()
                    return
                site.posted.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_said: Any) -> None:
                return

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.origin = f"http://localhost:{self.httpd.server_address[1]}"
        threading.Thread(target=self.httpd.serve_forever, args=[0.05], daemon=True).start()
        return self

    def answer(self, path: str) -> tuple[str, str]:
        snippet = SNIPPET.format(code=self.secure_code, server=self.server, attributes=self.attributes)
        page = PAGE.format(title=f"Page {path}", before=self.before, snippet=snippet)
        return self.files.get(path, ("text/html", page))

    def add_script(self, path: str, text: str) -> None:
        self.files[path] = ("text/javascript", text)

    def __exit__(self, *_error: object) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()
