"""A local stand-in for the hub: the handful of answers that `huggingface_hub` needs to list and read one data set."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

COMMIT = "0" * 40


@contextmanager
def hub(repository, files):
    """Serve `files` (name to bytes) as the data set `repository`; yields the address to say as HF_ENDPOINT."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, status, body, **headers):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def said(self, value, status=200):
            self.answer(status, json.dumps(value).encode(), Content_Type="application/json")

        def missing(self, code):
            self.answer(404, b"{}", X_Error_Code=code, Content_Type="application/json")

        def do_GET(self):
            path = unquote(urlparse(self.path).path)
            api, resolve = f"/api/datasets/{repository}", f"/datasets/{repository}/resolve/"
            if path.startswith(resolve):
                self.file(path.removeprefix(resolve).partition("/")[2])
            elif not path.startswith(api):
                self.missing("RepoNotFound")
            elif path.startswith(f"{api}/tree/"):
                below = path.removeprefix(f"{api}/tree/").partition("/")[2]
                self.said(listed(below))
            else:
                self.said({"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]})

        def do_HEAD(self):
            self.do_GET()

        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            try:
                paths = json.loads(asked)["paths"]
            except ValueError:
                from urllib.parse import parse_qs

                paths = parse_qs(asked)["paths"]
            self.said([entry for entry in listed("") if entry["path"] in paths])

        def file(self, name):
            if name not in files:
                return self.missing("EntryNotFound")
            body, span = files[name], self.headers.get("Range")
            headers = {"ETag": f'"{name}"', "X_Repo_Commit": COMMIT, "Accept_Ranges": "bytes"}
            if span is None:
                return self.answer(200, body, **headers)
            start, _, end = span.removeprefix("bytes=").partition("-")
            last = min(int(end or len(body)), len(body) - 1)
            return self.answer(206, body[int(start) : last + 1], Content_Range=f"bytes {start}-{last}/{len(body)}", **headers)

    def listed(below):
        entries = {}
        for name, body in files.items():
            if below and not name.startswith(below + "/"):
                continue
            parts = name.split("/")
            for k in range(1, len(parts)):
                folder = "/".join(parts[:k])
                entries[folder] = {"type": "directory", "path": folder, "oid": "1" * 40, "size": 0}
            entries[name] = {"type": "file", "path": name, "oid": "2" * 40, "size": len(body)}
        return list(entries.values())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
