#!/usr/bin/env python3
# tests/tools/tokenserver.py - a token server as registries name them (RS256 by openssl).
#
#       tokenserver.py --key KEY --cert CERT [OPTION...]     prints "listening on port N"
#
#       --user USER:PASSWORD    may do everything; without it everybody may
#       --identity TOKEN        an identity token (refresh token) that may do everything
#       --public REPO           may be pulled from by everybody
#       --life SECONDS          of tokens (default 300)
#       --claim SECONDS         what it says their life is; so that they end early
#       --post CODE             POST is answered with this status
#       --no-field NAME         leave a member of the answer out
#       --name FIELD            of the token: "token" (default) or "access_token"
#       --raw TEXT              the whole answer
#
# Every request is one line of the log: METHOD grant=G who=W scopes=S -> STATUS
import argparse
import base64
import http.server
import json
import secrets
import ssl
import subprocess
import sys
import time
import urllib.parse

p = argparse.ArgumentParser()
for option in ("key", "cert", "user", "identity", "public", "claim", "post", "no-field", "raw",
               "tls-cert", "tls-key"):
    p.add_argument("--" + option)
p.add_argument("--life", type=int, default=300)
p.add_argument("--name", default="token")
o = p.parse_args()


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def make_token(who, service, access):
    chain = subprocess.run(["openssl", "x509", "-in", o.cert, "-outform", "DER"], capture_output=True, check=True).stdout
    head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(chain).decode()]}
    now = int(time.time())
    claims = {"iss": "test-issuer", "sub": who, "aud": service, "exp": now + o.life, "nbf": now - 5, "iat": now,
              "jti": secrets.token_hex(8), "access": access}
    text = coded(json.dumps(head).encode()) + b"." + coded(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", o.key], input=text, capture_output=True,
                               check=True).stdout
    return (text + b"." + coded(signature)).decode()


def say(text):
    """A line of the log in one piece, whichever thread says it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, doc, note):
        body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        say(f"{self.command} {note} -> {status}")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def grant(self, who, known, service, scopes, note):
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":") if scope.count(":") == 2 else (scope, "", "")
            allowed = actions.split(",") if known else ["pull"] if name == o.public else []
            access.append({"type": kind, "name": name, "actions": allowed})
        doc = {o.name: make_token(who, service, access), "expires_in": int(o.claim or o.life)}
        doc.pop(o.no_field, None)
        self.reply(200, o.raw.encode() if o.raw else doc, note)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        who, known = "", o.user is None
        scheme, _, given = (self.headers.get("Authorization") or "").partition(" ")
        if scheme == "Basic":
            pair = base64.b64decode(given).decode()
            who, known = pair.partition(":")[0], pair == o.user
        scopes = query.get("scope", [])
        note = f"grant=basic who={who or '-'} scopes={' '.join(scopes)}"
        if scheme and not known:
            self.reply(401, {"details": "incorrect username or password"}, note)
        else:
            self.grant(who, known, query.get("service", [""])[0], scopes, note)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        one = {k: v[0] for k, v in form.items()}
        grant, who = one.get("grant_type"), one.get("username", "-")
        scopes = one.get("scope", "").split()
        note = f"grant={grant} who={who} scopes={' '.join(scopes)}"
        if o.post:
            self.reply(int(o.post), {"error": "not here"}, note)
            return
        known = (grant == "password" and f"{who}:{one.get('password')}" == o.user or
                 grant == "refresh_token" and one.get("refresh_token") == o.identity)
        if not known:
            self.reply(401, {"error": "invalid_grant", "error_description": "who are you?"}, note)
        else:
            self.grant(who, True, one.get("service", ""), scopes, note)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if o.tls_cert:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(o.tls_cert, o.tls_key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print(f"listening on port {server.server_port}", flush=True)
server.serve_forever()
