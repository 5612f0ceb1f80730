#!/usr/bin/env python3
"""Git repositories over HTTP for tests, by git's own http-backend.

    gitserver.py DIR

Serves the repositories in DIR on 127.0.0.1, on a port that it writes to DIR/.port. Requests
are logged to DIR/.log: "GET /git/r.git/info/refs auth=…". What it does is in the path:

    /git/REPO          the repository
    /v0/REPO           by the old protocol, which gives no commits by their hashes
    /auth/REPO         401 unless Authorization is what DIR/.auth holds
    /moved/REPO        a redirect to /git/REPO
    /elsewhere/REPO    a redirect to /git/REPO of another origin (localhost)
    /swap/REPO         runs DIR/.swap before every request but the first two
    /tofile/REPO       a redirect to the directory of the repository, as file://
    /junk/REPO         megabytes that are nothing
    /hang/REPO         no answer
    /files/REPO        its files, as a web server that knows nothing of git gives them
    /turns/REPO        the first answer is by the old protocol, then its files
"""
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = sys.argv[1]
lock = threading.Lock()
swap = {"left": 2}
turns = {"asked": False}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def simple(self, code, *headers):
        self.send_response(code)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        self.do_GET()

    def do_GET(self):
        path, _, query = self.path.partition("?")
        with lock, open(f"{ROOT}/.log", "a") as f:
            f.write(f"{self.command} {path} auth={self.headers.get('Authorization', '')}\n")
        kind, _, rest = path[1:].partition("/")
        mark = f"?{query}" if query else ""
        port = self.server.server_address[1]
        try:
            if kind == "moved":
                self.simple(301, ("Location", f"/git/{rest}{mark}"))
            elif kind == "elsewhere":
                self.simple(302, ("Location", f"http://localhost:{port}/git/{rest}{mark}"))
            elif kind == "tofile":
                self.simple(302, ("Location", f"file://{ROOT}/{rest}{mark}"))
            elif kind == "hang":
                time.sleep(3600)
            elif kind == "files" or (kind == "turns" and turns["asked"]):
                self.give(rest)
            elif kind == "junk":
                self.send_response(200)
                self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
                self.end_headers()
                self.close_connection = True
                self.wfile.write((b"0040" + b"x" * 60) * 50000)
            elif kind == "auth" and self.headers.get("Authorization") != open(f"{ROOT}/.auth").read().strip():
                self.simple(401, ("WWW-Authenticate", 'Basic realm="git"'))
            elif kind in ("git", "v0", "auth", "swap", "turns"):
                turns["asked"] |= kind == "turns"
                if kind == "swap":
                    swap["left"] -= 1
                    if swap["left"] < 0:
                        subprocess.run([f"{ROOT}/.swap"], check=False)
                self.backend(rest, query, kind not in ("v0", "turns"))
            else:
                self.simple(404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def give(self, path):
        try:
            with open(f"{ROOT}/{path}", "rb") as f:
                data = f.read()
        except OSError:
            self.simple(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def backend(self, path, query, new):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": ROOT, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": "/" + path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }
        if new:
            env["GIT_PROTOCOL"] = self.headers.get("Git-Protocol", "")
        out = subprocess.run(["git", "http-backend"], env=env, input=body, stdout=subprocess.PIPE, check=False).stdout
        head, _, data = out.partition(b"\r\n\r\n")
        code, headers = 200, []
        for line in head.decode().split("\r\n"):
            k, _, v = line.partition(": ")
            if k == "Status":
                code = int(v.split()[0])
            elif k:
                headers.append((k, v))
        self.send_response(code)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(f"{ROOT}/.port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(f"{ROOT}/.port.new", f"{ROOT}/.port")
server.serve_forever()
