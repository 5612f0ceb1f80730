#!/usr/bin/env python3
# tests/tools/fakedocker.py - a Docker engine that can only load: POST /images/load on a socket.
#
#       fakedocker.py SOCKET DIR [refuse|early|hang]
#
# What was loaded whole is DIR/loaded.tar; what broke off leaves DIR/broken. With "refuse" it
# reads all and says no, with "early" it answers and goes without reading, "hang" does nothing.
import http.server
import os
import socketserver
import sys
import time

path, out, mode = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["load"])[0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "client"

    def body(self):
        whole = b""
        while True:
            n = int(self.rfile.readline() or b"-1", 16)
            if n < 0:
                raise EOFError
            piece = self.rfile.read(n)
            self.rfile.readline()
            if n == 0:
                return whole
            if len(piece) < n:
                raise EOFError
            whole += piece

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text))
        self.close_connection = True

    def do_POST(self):
        if mode == "hang":
            time.sleep(60)
        if mode == "early":
            self.answer(500, b'{"message":"no space left"}\n')
            self.connection.close()
            return
        try:
            data = self.body()
        except (EOFError, ValueError):
            open(f"{out}/broken", "w").close()
            return
        if mode == "refuse":
            self.answer(200, b'{"errorDetail":{"message":"bad layer"},"error":"bad layer"}\n')
            return
        with open(f"{out}/loaded.part", "wb") as f:
            f.write(data)
        os.rename(f"{out}/loaded.part", f"{out}/loaded.tar")
        self.answer(200, b'{"stream":"Loaded image"}\n')


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


Server(path, Handler).serve_forever()
