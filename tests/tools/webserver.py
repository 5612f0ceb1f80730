#!/usr/bin/env python3
"""A web server for tests that does what it is asked to, also what it should not.

    webserver.py DIR [--tls CERT KEY]

Serves files of DIR on 127.0.0.1, on a port that it writes to DIR/.port. Requests are logged to
DIR/.log: "GET /f/x range=… auth=… agent=… match=…". What it does is in the path:

    /f/NAME            the file, with ETag and Last-Modified; knows If-None-Match, Range, If-Range
    /plain/NAME        neither of the two
    /weak/NAME         a weak ETag
    /nohead/NAME       HEAD is refused
    /bare304/NAME      304 names no ETag; HEAD is refused
    /to/CODE/URL       a redirect to URL (percent-encoded)
    /round             a redirect to itself
    /auth/NAME         401 unless Authorization is what DIR/.auth holds
    /cut/NAME          each answer breaks off after 300,000 bytes of the body
    /cutplain/NAME     the same, without anything that tells whether it is still the same
    /wrongrange/NAME   breaks off; then answers with another range than was asked for
    /hold/NAME         stops after 300,000 bytes, and says nothing more, unless a range is asked for
    /slow/NAME         a byte every 50 ms
    /busy/N/NAME       503 for the first N requests
    /status/CODE       that
    /endless           bytes for ever
    /named/HEADER      some bytes, with that Content-Disposition (percent-encoded)
    /proxy-sees/...    as /f/, for requests that come to it as a proxy
"""
import hashlib
import os
import ssl
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = sys.argv[1]
CUT = 300_000
counts = {}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        h = self.headers
        line = (f"{self.command} {self.path} range={h.get('Range', '')} auth={h.get('Authorization', '')} "
                f"agent={h.get('User-Agent', '')} accept={h.get('Accept', '')} match={h.get('If-None-Match', '')}\n")
        with lock, open(f"{ROOT}/.log", "a") as f:
            f.write(line)

    def simple(self, code, headers=(), body=b""):
        self.send_response(code)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and code != 304:
            self.wfile.write(body)

    def count(self, what):
        with lock:
            counts[what] = counts.get(what, 0) + 1
            return counts[what]

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.note()
        path = self.path
        if path.startswith("http://"):  # to a proxy
            path = "/" + path.split("/", 3)[3]
        path = path.split("?")[0]
        kind, _, rest = path[1:].partition("/")
        try:
            getattr(self, "do_" + kind.replace("-", "_"), self.do_none)(rest)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_none(self, rest):
        self.simple(404, body=b"nothing here\n")

    def file(self, rest):
        try:
            with open(os.path.join(ROOT, urllib.parse.unquote(rest)), "rb") as f:
                data = f.read()
                return data, '"' + hashlib.sha256(data).hexdigest()[:16] + '"', formatdate(
                    os.fstat(f.fileno()).st_mtime, usegmt=True)
        except OSError:
            self.do_none(rest)
            return None, None, None

    def serve(self, rest, etag=True, date=True, weak=False, cut=0, bare=False, shift=0):
        data, tag, modified = self.file(rest)
        if data is None:
            return
        shown = ("W/" if weak else "") + tag
        headers = ([("ETag", shown)] if etag else []) + ([("Last-Modified", modified)] if date else [])
        if etag and tag in self.headers.get("If-None-Match", ""):
            self.simple(304, [] if bare else headers)
            return
        code, first = 200, 0
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range", tag) in (tag, modified):
            first = int(wanted[len("bytes="):].rstrip("-"))
            if first >= len(data):
                self.simple(416)
                return
            first += shift
            code = 206
            headers.append(("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}"))
        body = data[first:]
        self.send_response(code)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut and len(body) > cut:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
        else:
            self.wfile.write(body)

    def do_f(self, rest):
        self.serve(rest)

    do_proxy_sees = do_f

    def do_plain(self, rest):
        self.serve(rest, etag=False, date=False)

    def do_weak(self, rest):
        self.serve(rest, weak=True)

    def do_nohead(self, rest):
        if self.command == "HEAD":
            self.simple(405)
        else:
            self.serve(rest)

    def do_bare304(self, rest):
        if self.command == "HEAD":
            self.simple(405)
        else:
            self.serve(rest, bare=True)

    def do_to(self, rest):
        code, _, where = rest.partition("/")
        self.simple(int(code), [("Location", urllib.parse.unquote(where))])

    def do_round(self, rest):
        self.simple(302, [("Location", "/round")])

    def do_auth(self, rest):
        with open(f"{ROOT}/.auth") as f:
            want = f.read().strip()
        if self.headers.get("Authorization") != want:
            self.simple(401, [("WWW-Authenticate", "Bearer")])
        else:
            self.serve(rest)

    def do_cut(self, rest):
        self.serve(rest, cut=CUT)

    def do_cutplain(self, rest):
        self.serve(rest, etag=False, date=False, cut=CUT)

    def do_wrongrange(self, rest):
        self.serve(rest, cut=CUT, shift=1)

    def do_hold(self, rest):
        if self.headers.get("Range") or self.command == "HEAD":
            self.serve(rest)
            return
        data, tag, _ = self.file(rest)
        self.send_response(200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:CUT])
        self.wfile.flush()
        time.sleep(3600)

    def do_slow(self, rest):
        data, _, _ = self.file(rest)
        if data is None:
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for i in range(len(data) if self.command == "GET" else 0):
            self.wfile.write(data[i:i + 1])
            self.wfile.flush()
            time.sleep(0.05)

    def do_busy(self, rest):
        n, _, rest = rest.partition("/")
        if self.count("busy" + rest) <= int(n):
            self.simple(503, [("Retry-After", "0")])
        else:
            self.serve(rest)

    def do_status(self, rest):
        self.simple(int(rest), body=b"so it is\n")

    def do_endless(self, rest):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while self.command == "GET":
            self.wfile.write(b"x" * 65536)

    def do_named(self, rest):
        self.simple(200, [("Content-Disposition", urllib.parse.unquote(rest))], b"named\n")


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if "--tls" in sys.argv:
    at = sys.argv.index("--tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[at + 1], sys.argv[at + 2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(f"{ROOT}/.port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(f"{ROOT}/.port.new", f"{ROOT}/.port")
server.serve_forever()
