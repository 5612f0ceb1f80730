"""python -m tally --port PORT: POST a text, get the words in it as JSON."""
import argparse
import json
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tally import tally

LARGEST = 1 << 20


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, "well")
        else:
            self.answer(404, "POST a text to /")

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST:
            self.answer(413, f"more than {LARGEST} bytes")
        else:
            self.answer(200, tally(self.rfile.read(size).decode("utf-8", "replace")))


def main():
    parser = argparse.ArgumentParser(prog="tally")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--ask", metavar="URL", help="fetch this from a server that runs, and end")
    args = parser.parse_args()
    if args.ask:
        with urllib.request.urlopen(args.ask, timeout=3) as answer:
            sys.stdout.write(answer.read().decode())
        return
    server = ThreadingHTTPServer(("", args.port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on port {server.server_port}")
    server.serve_forever()


main()
