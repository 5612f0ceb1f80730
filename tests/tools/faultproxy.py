#!/usr/bin/env python3
# tests/tools/faultproxy.py - a proxy in front of a registry that makes mistakes as told.
#
#       faultproxy.py HOST:PORT RULES     prints "listening on port N"
#
# RULES is a file of lines that is read again whenever it was replaced; each is
#
#       TIMES REGEX FAULT [ARGUMENT...]
#
# For the first TIMES requests ("*": all) whose "METHOD PATH" the REGEX finds, FAULT is done:
#
#       drop N           the answer's head, N bytes of its body, then the connection ends
#       truncate N       the answer says its length is N, and is cut there
#       extra N          N more bytes than the registry sent, and says so
#       corrupt N        byte N of the body is another one
#       header NAME VALUE    a header of the answer is replaced; VALUE "-": left out
#       status CODE [RETRY-AFTER] [BODY]    an answer of the proxy's own
#       stall N SECONDS  N bytes, then nothing for so long
#       redirect CODE LOCATION    "%p" in it is the path
#       norange          the registry does not see that a range was asked for
#       badrange         the range in the answer's head is another
#       cut N            N bytes of the *request's* body reach the registry, then both
#                        connections end
#       delay SECONDS    the request reaches the registry so much later
#       late             the registry gets it all, but the answer does not come through
#       hugehead         header lines without end
#       hugebody         a body without end
#
# Every request is one line of the log: METHOD PATH auth=SCHEME range=R body=N busy=N -> STATUS
# [FAULT], with busy the number of requests at that time; "connection" stands for each of those.
import http.client
import http.server
import os
import re
import socket
import struct
import sys
import threading
import time

UPSTREAM, RULES = sys.argv[1], sys.argv[2]
HOP = {"connection", "transfer-encoding", "keep-alive", "proxy-connection", "expect"}


def say(text):
    """A line of the log in one piece, whichever thread says it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Rules:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen = None
        self.rules = []

    def find(self, what):
        with self.lock:
            stat = os.stat(RULES)
            if (stat.st_ino, stat.st_mtime_ns) != self.seen:
                self.seen = (stat.st_ino, stat.st_mtime_ns)
                self.rules = [line.split() for line in open(RULES) if line.strip()]
            for rule in self.rules:
                if rule[0] != "0" and re.search(rule[1], what):
                    if rule[0] != "*":
                        rule[0] = str(int(rule[0]) - 1)
                    return rule[2:]
        return ["none"]


rules = Rules()
busy = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        say("connection")

    def note(self, status, fault):
        auth = (self.headers.get("Authorization") or "none").split()[0]
        body = self.headers.get("Content-Length") or "0"
        path = re.sub("_state=[^&]*", "_state=.", self.path)
        say(f"{self.command} {path} auth={auth} range={self.headers.get('Range')} body={body} busy={self.busy} -> {status}"
            + ("" if fault == "none" else f" [{fault}]"))

    def end(self):  # at once, and so that the other side notices
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def body_pieces(self):
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                piece = self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return
                yield piece
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def forward(self, fault, args):
        if fault == "delay":
            time.sleep(float(args[0]))
        up = http.client.HTTPConnection(UPSTREAM, timeout=60)
        up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP and not (fault == "norange" and name.lower() == "range"):
                up.putheader(name, value)
        up.endheaders()
        left = int(args[0]) if fault == "cut" else None
        for piece in self.body_pieces():
            up.send(piece if left is None else piece[:left])
            if left is not None:
                left -= len(piece)
                if left <= 0:
                    time.sleep(0.2)  # so that it gets what was sent
                    up.close()
                    return None
        return up.getresponse()

    def own_answer(self, fault, args):
        if fault == "status":
            body = " ".join(args[2:]).encode()
            self.send_response(int(args[0]))
            if len(args) > 1 and args[1] != "-":
                self.send_header("Retry-After", args[1])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        elif fault == "redirect":
            self.send_response(int(args[0]))
            self.send_header("Location", args[1].replace("%p", self.path))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault == "hugehead":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for i in range(100000):
                self.wfile.write(b"X-Filler-%d: %s\r\n" % (i, b"x" * 200))
        elif fault == "hugebody":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            for _ in range(4096):
                self.wfile.write(b" " * 65536)
        self.note(args[0] if args else 200, fault)

    def answer(self, response, fault, args):
        body = response.read() if self.command != "HEAD" else b""
        headers = {k: v for k, v in response.getheaders() if k.lower() not in HOP}
        sent = body
        if fault == "truncate":
            sent = body[:int(args[0])]
        elif fault == "extra":
            sent = body + b"x" * int(args[0])
        elif fault == "corrupt":
            n = int(args[0])
            sent = body[:n] + bytes([body[n] ^ 1]) + body[n + 1:]
        elif fault == "header":
            headers = {k: v for k, v in headers.items() if k.lower() != args[0].lower()}
            if args[1] != "-":
                headers[args[0]] = " ".join(args[1:])
        elif fault == "badrange":
            headers["Content-Range"] = f"bytes 1-{len(body)}/{len(body) + 1}"
        if self.command != "HEAD" and response.status not in (204, 304):
            headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
            headers["Content-Length"] = str(len(sent))
        self.send_response_only(response.status, response.reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "drop":
            self.wfile.write(sent[:int(args[0])])
            time.sleep(0.05)
            self.end()
        elif fault == "stall":
            self.wfile.write(sent[:int(args[0])])
            time.sleep(float(args[1]))
            self.end()
        else:
            self.wfile.write(sent)

    def handle_one(self):
        busy.add(self)
        self.busy = len(busy)
        try:
            self.do_fault()
        finally:
            busy.discard(self)

    def do_fault(self):
        fault, *args = rules.find(f"{self.command} {self.path}")
        try:
            if fault in ("status", "redirect", "hugehead", "hugebody"):
                for _ in self.body_pieces():
                    pass
                self.own_answer(fault, args)
                return
            response = self.forward(fault, args)
            self.note(response.status if response else "-", fault)
            if response is None or fault == "late":
                self.end()
            else:
                self.answer(response, fault, args)
        except (OSError, http.client.HTTPException) as e:
            say(f"{self.command} {self.path}: {e}")
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(f"listening on port {server.server_port}", flush=True)
server.serve_forever()
