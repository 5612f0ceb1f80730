#!/usr/bin/env python3
"""Content hashes of random trees against a second implementation, written from the facts of
the format alone. Catches a wrong order, header, pattern or link rule, and a walk that leaves
out what it should have looked at. The seed is printed: SEED=N runs one again."""

import hashlib
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile

TOOL = os.path.join(os.environ["top_builddir"], "tests/unit/core/contenthash/hash_tool")
ROUNDS = 60


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def header(st, link=""):
    kinds = {stat.S_IFDIR: "5", stat.S_IFLNK: "2", stat.S_IFIFO: "6"}
    size = st.st_size if stat.S_ISREG(st.st_mode) else 0
    mode = stat.S_IMODE(st.st_mode)
    fields = [
        ("name", ""),
        ("mode", mode),
        ("uid", st.st_uid),
        ("gid", st.st_gid),
        ("size", size),
        ("typeflag", kinds.get(stat.S_IFMT(st.st_mode), "0")),
        ("linkname", link),
        ("uname", ""),
        ("gname", ""),
        ("devmajor", 0),
        ("devminor", 0),
    ]
    return "".join(f"{k}{v}" for k, v in fields).encode()


class Tree:
    """Every path of a directory with its own digest, in order."""

    def __init__(self, root):
        self.own, self.links, self.dirs, self.kids = {}, {}, set(), {}
        self.add(root, "")

    def add(self, real, path):
        st = os.lstat(real)
        link = os.readlink(real) if stat.S_ISLNK(st.st_mode) else ""
        data = b""
        if stat.S_ISREG(st.st_mode):
            with open(real, "rb") as f:
                data = f.read()
        extra = b""
        if not stat.S_ISLNK(st.st_mode):
            for name in sorted(os.listxattr(real)):
                if not re.match(r"(security|system)\.", name) or name == "security.capability":
                    extra += name.encode() + os.getxattr(real, name)
        self.own[path] = sha(header(st, link) + extra + data)
        if link:
            self.links[path] = link
        if stat.S_ISDIR(st.st_mode):
            self.dirs.add(path)
            names = sorted(os.listdir(real), key=os.fsencode)
            self.kids[path] = [path + "/" + n for n in names]
            for n in names:
                self.add(os.path.join(real, n), path + "/" + n)

    def all(self, path):
        if path not in self.dirs:
            return self.own[path]
        text = b"\0" + self.own[path].encode()
        for k in self.kids[path]:
            text += b"\0" + os.fsencode(k.rsplit("/", 1)[1]) + self.all(k).encode()
        return sha(text)

    def resolve(self, path, follow):
        at, rest, links = "", [p for p in path.split("/") if p], 0
        while rest:
            part = rest.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                at = at.rsplit("/", 1)[0] if at else ""
                continue
            nxt = at + "/" + part
            if at not in self.dirs or nxt not in self.own:
                return None
            if nxt in self.links and (follow or any(r for r in rest)):
                links += 1
                if links > 255:
                    raise OverflowError
                target = self.links[nxt]
                if target.startswith("/"):
                    at = ""
                rest = target.split("/") + rest
                continue
            at = nxt
        return at

    def below(self, path):
        yield path
        for k in self.kids.get(path, []):
            yield from self.below(k)


def glob_regex(pattern):
    out, i = "", 0
    while i < len(pattern):
        c = pattern[i]
        if c == "*":
            out += "[^/]*"
        elif c == "?":
            out += "[^/]"
        elif c == "[":
            end = pattern.index("]", i)
            out += pattern[i : end + 1]
            i = end
        else:
            out += re.escape(c)
        i += 1
    return re.compile("^" + out + r"\Z", re.S)


def list_regex(pattern):
    """A pattern of an include or exclude list."""
    out = ""
    for part in re.split(r"(\*\*/?)", pattern):
        if part.startswith("**"):
            out += "\1"
        else:
            out += glob_regex(part).pattern[1:-2] if part else ""
    if out.endswith("\1"):
        out = out[:-1] + "(?:.*)"
    return re.compile("^" + out.replace("\1", "(?:.*/)?") + r"\Z", re.S)


def prefixes(path):
    parts = path.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def hit(patterns, path, above):
    """Last one that matches the path, or a directory above it, wins; with the state for what
    is below. A pattern that cannot change the answer is not looked at, and counts as one that
    did not match: directories pass that on, which is how the reference does it."""
    matched, state = False, []
    for i, p in enumerate(patterns):
        no = p.startswith("!")
        m = above is not None and above[i]
        if not m and no == matched:
            tried = [path] if above is not None else prefixes(path)
            m = any(list_regex(p.lstrip("!")).match(x) for x in tried)
        state.append(m)
        if m:
            matched = not no
    return matched, state


def selection(tree, sel):
    path, follow = sel["path"], sel["f"]
    base = path.rstrip("/")
    if not sel["w"] and not sel["i"] and not sel["x"]:
        n = tree.resolve(path, follow)
        return "not-found" if n is None else tree.all(n)
    start, prefix = None, base
    if sel["w"]:
        parts = base.split("/")
        plain = []
        for p in parts:
            if re.search(r"[*?[]", p):
                break
            plain.append(p)
        prefix = "/".join(plain)
        start = tree.resolve(prefix, len(plain) < len(parts))
    else:
        start = tree.resolve(base, False)
    covered, heads = [], []
    names = [] if start is None else list(tree.below(start))
    for n in names:
        shown = prefix + n[len(start) :]
        rel, root = None, base
        if sel["w"] and base:
            for x in prefixes(shown):
                if glob_regex(base).match(x):
                    rel, root = shown[len(x) :].lstrip("/"), x
                    break
            if rel is None:
                continue
        else:
            rel = shown[len(base) :].lstrip("/")
        if n in tree.dirs and shown == base and path.endswith("/"):
            continue
        heads = [h for h in heads if shown.startswith(h[1] + "/")]
        up = heads[-1] if heads else (None, None, None, None)
        ok, istate, xstate = True, None, None
        # what is named itself is copied, whatever the patterns say; the root is there
        named = shown and not rel
        if sel["i"]:
            ok, istate = hit(sel["i"], rel, up[2])
        if ok and sel["x"]:
            out, xstate = hit(sel["x"], rel, up[3])
            ok = not out
        if ok or named:
            covered += [h[:2] for h in heads if h[:2] not in covered]
            covered.append((n, shown))
        if n in tree.dirs:
            heads.append((n, shown, istate, xstate))
    digests = []
    for n, shown in covered:
        d = tree.own[n]
        if follow and n in tree.links:
            t = tree.resolve(shown, True)
            if t is None:
                return "not-found"
            d = tree.all(t)
        digests.append((os.path.basename(shown), d))
    if len(digests) == 1 and digests[0][0] == os.path.basename(base):
        return digests[0][1]
    return sha(b"\0".join(os.fsencode(b) + d.encode() for b, d in digests))


NAMES = ["a", "b", "a.c", "b.o", "src", "x y", "a-b", "a.", "\u00e9", "0"]
PATTERNS = ["*", "**", "*.c", "**/*.o", "src", "src/**", "a", "a/b", "**/a", "a/*", "x*",
            "?", "**/src/*", "a/**/b", "b", "[ab]*", "*/a", "a.*"]


def make_tree(rng, root, depth=0):
    for name in rng.sample(NAMES, rng.randint(0, 6 if depth else 8)):
        path = os.path.join(root, name)
        kind = rng.random()
        if kind < 0.35 and depth < 4:
            os.mkdir(path, 0o755)
            make_tree(rng, path, depth + 1)
            if rng.random() < 0.2:
                os.chmod(path, 0o1777)
        elif kind < 0.5:
            up = "../" * rng.randint(0, 2)
            os.symlink(rng.choice(["", "/", up]) + rng.choice(NAMES), path)
        elif kind < 0.55:
            os.mkfifo(path)
        else:
            with open(path, "wb") as f:
                f.write(rng.randbytes(rng.choice([0, 1, 100, 5000])))
            os.chmod(path, rng.choice([0o644, 0o755, 0o600, 0o4755]))
            if rng.random() < 0.2:
                try:
                    os.setxattr(path, "user.b", b"two")
                    os.setxattr(path, "user.a", b"one")
                except OSError:
                    pass  # not on this file system


def make_selection(rng):
    sel = {"path": "", "w": False, "f": rng.random() < 0.3, "i": [], "x": []}
    path = "".join("/" + rng.choice(NAMES) for _ in range(rng.randint(0, 2)))
    if rng.random() < 0.35:
        sel["w"] = True
        path += "/" + rng.choice(["*", "a*", "*.c", "?", "[ab]*", "*/a", "*/*"])
    if rng.random() < 0.2 or not path:
        path += "/"
    sel["path"] = path
    for key in "ix":
        if rng.random() < 0.4:
            sel[key] = [rng.choice(["", "", "", "!"]) + rng.choice(PATTERNS)
                        for _ in range(rng.randint(1, 3))]
    return sel


def as_argument(sel):
    parts = [sel["path"]] + [k for k in "wf" if sel[k]]
    return "|".join(parts + ["i:" + p for p in sel["i"]] + ["x:" + p for p in sel["x"]])


def run_round(seed):
    rng = random.Random(seed)
    root = tempfile.mkdtemp(prefix="sw-hash-")
    try:
        make_tree(rng, root)
        tree = Tree(root)
        sels = [make_selection(rng) for _ in range(40)]
        args = [as_argument(s) for s in sels]
        got = subprocess.run([TOOL, root] + args, capture_output=True, check=True)
        for sel, arg, line in zip(sels, args, got.stdout.decode().splitlines()):
            try:
                want = selection(tree, sel)
            except OverflowError:
                want = "limit"
            if line != want:
                print(f"# seed {seed}: {arg!r}: {line}, not {want}")
                subprocess.run(["sh", "-c", 'cd "$1" && find . | sort | sed "s/^/# /"', "-", root])
                return False
        return True
    finally:
        shutil.rmtree(root)


def main():
    print("1..1")
    seed = os.environ.get("SEED")
    first = int(seed) if seed else random.randrange(1 << 30)
    print(f"# seeds {first} to {first + ROUNDS - 1}")
    good = all(run_round(s) for s in ([first] if seed else range(first, first + ROUNDS)))
    print("ok" if good else "not ok", "1 - random trees hash as a second implementation says")
    return 0


sys.exit(main())
