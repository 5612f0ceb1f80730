#!/usr/bin/env python3
# tests/tools/ociserver.py - a small registry in memory, for what docker-registry does not do:
# uploads that go on where they broke off, referrers, tags in pages.
#
#       ociserver.py [OPTION...]          prints "listening on port N"
#
#       --cut N          of the first PATCH and the first PUT, N bytes are kept and the
#                        connection ends
#       --least N        OCI-Chunk-Min-Length
#       --absolute       locations are whole URLs; else paths
#       --page N         tags and referrers come in pages of N at most
#       --foreign-link   the next page is said to be on another host
#       --no-head        HEAD of a manifest is refused
#       --quiet          manifests come without Docker-Content-Digest
#       --ns NAME        requests that read have "ns=NAME", or are refused
#
# Every request is one line of the log: METHOD PATH -> STATUS
import argparse
import hashlib
import http.server
import json
import re
import socket
import struct
import sys
import threading
import urllib.parse

p = argparse.ArgumentParser()
for option in ("cut", "least", "page"):
    p.add_argument("--" + option, type=int, default=0)
for option in ("absolute", "foreign-link", "no-head", "quiet"):
    p.add_argument("--" + option, action="store_true")
p.add_argument("--ns")
o = p.parse_args()

blobs, manifests, tags, uploads, cuts = {}, {}, {}, {}, {"PATCH": o.cut, "PUT": o.cut}
lock = threading.Lock()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def say(text):
    """A line of the log in one piece, whichever thread says it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", **headers):
        say(f"{self.command} {self.path} -> {status}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message):
        self.reply(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(),
                   Content_Type="application/json")

    def location(self, path):
        return f"http://{self.headers['Host']}{path}" if o.absolute else path

    def body(self, upload=None):
        left = int(self.headers.get("Content-Length") or 0)
        cut = cuts.pop(self.command, 0) if upload is not None and left else 0
        data = bytearray()
        while left:
            piece = self.rfile.read(min(left, 65536 if not cut else max(cut - len(data), 1)))
            data += piece
            left -= len(piece)
            if cut and len(data) >= cut:
                upload += data
                say(f"{self.command} {self.path} cut")
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return None
        return data

    def paged(self, items, path, query, wrap):
        start = int(query.get("from", ["0"])[0])
        n = o.page or len(items) or 1
        headers = {"Content_Type": "application/vnd.oci.image.index.v1+json"}
        if start + n < len(items):
            host = "http://127.0.0.1:9" if o.foreign_link else ""
            headers["Link"] = f'<{host}{path}?from={start + n}>; rel="next"'
        self.reply(200, json.dumps(wrap(items[start:start + n])).encode(), **headers)

    def handle_one(self):
        url = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(url.query)
        m = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests|tags|referrers)/(.*)", url.path)
        if not m:
            self.refuse(404, "UNSUPPORTED", "no such thing")
            return
        repo, kind, name = m.groups()
        if o.ns and self.command in ("GET", "HEAD") and query.get("ns") != [o.ns]:
            self.refuse(404, "NAME_UNKNOWN", "which registry?")
            return
        with lock:
            getattr(self, "do_" + kind.replace("/", "_"))(repo, name, url.path, query)

    def do_tags(self, repo, name, path, query):
        self.paged(sorted(t for r, t in tags if r == repo), path, query, lambda t: {"name": repo, "tags": t})

    def do_referrers(self, repo, name, path, query):
        found = [{"mediaType": t, "digest": d, "size": len(b), "artifactType": json.loads(b).get("artifactType", "")}
                 for d, (t, b) in manifests.items() if json.loads(b).get("subject", {}).get("digest") == name]
        self.paged(found, path, query, lambda f: {"schemaVersion": 2, "manifests": f,
                                                  "mediaType": "application/vnd.oci.image.index.v1+json"})

    def do_manifests(self, repo, name, path, query):
        if self.command == "PUT":
            data = bytes(self.body())
            d = digest(data)
            manifests[d] = (self.headers["Content-Type"], data)
            if name != d:
                tags[repo, name] = d
            self.reply(201, Docker_Content_Digest=d)
            return
        d = tags.get((repo, name), name)
        if self.command == "HEAD" and o.no_head:
            self.refuse(405, "UNSUPPORTED", "no HEAD")
        elif d not in manifests:
            self.refuse(404, "MANIFEST_UNKNOWN", "manifest\x1b[31m unknown")
        else:
            extra = {} if o.quiet else {"Docker_Content_Digest": d}
            self.reply(200, manifests[d][1], Content_Type=manifests[d][0], **extra)

    def do_blobs(self, repo, name, path, query):
        data = blobs.get((repo, name))
        if data is None:
            self.refuse(404, "BLOB_UNKNOWN", "blob unknown")
            return
        m = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if m and int(m.group(1)) < len(data):
            start = int(m.group(1))
            self.reply(206, data[start:], Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.reply(416 if m else 200, b"" if m else data)

    def do_blobs_uploads(self, repo, name, path, query):
        if self.command == "POST":
            self.body()
            source = query.get("from", [""])[0], query.get("mount", [""])[0]
            if source in blobs:
                blobs[repo, source[1]] = blobs[source]
                self.reply(201, Location=f"/v2/{repo}/blobs/{query['mount'][0]}")
                return
            name = str(len(uploads) + 1)
            uploads[name] = bytearray()
            headers = {"OCI_Chunk_Min_Length": str(o.least)} if o.least else {}
            self.reply(202, Location=self.location(f"/v2/{repo}/blobs/uploads/{name}?state=x"), **headers)
            return
        upload = uploads.get(name)
        if upload is None:
            self.refuse(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
        elif self.command == "DELETE":
            del uploads[name]
            self.reply(204)
        elif self.command == "GET":
            self.reply(204, Location=self.location(f"/v2/{repo}/blobs/uploads/{name}?state=y"),
                       Range=f"0-{max(len(upload) - 1, 0)}")
        elif self.command == "PATCH":
            self.patch(repo, name, upload)
        else:
            self.put(repo, name, upload, query)

    def patch(self, repo, name, upload):
        m = re.fullmatch(r"(\d+)-(\d+)", self.headers.get("Content-Range") or "")
        data = self.body(upload)
        if data is None:
            return
        if not m or int(m.group(1)) != len(upload) or int(m.group(2)) + 1 - len(upload) != len(data):
            self.refuse(416, "RANGE_INVALID", "out of order")
            return
        upload += data
        self.reply(202, Location=self.location(f"/v2/{repo}/blobs/uploads/{name}?state=z"), Range=f"0-{len(upload) - 1}")

    def put(self, repo, name, upload, query):
        data = self.body(upload)
        if data is None:
            return
        upload += data
        d = digest(bytes(upload))
        if query.get("digest") != [d]:
            self.refuse(400, "DIGEST_INVALID", "it has another digest")
            return
        blobs[repo, d] = bytes(upload)
        del uploads[name]
        self.reply(201, Docker_Content_Digest=d)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(f"listening on port {server.server_port}", flush=True)
server.serve_forever()
