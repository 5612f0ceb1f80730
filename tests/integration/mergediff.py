#!/usr/bin/env python3
"""Merge, diff and chains of file actions on random trees, through whole builds, against a
simulation that knows nothing of layers: merge(A, diff(A, B)) has to be B, whether B was made on
A or has nothing to do with it; a merge of trees is their union, the later one on top.

Catches: a whiteout that is missing or stays, a directory that is opaque and should not be or
the reverse, metadata of parents that a layer writes over, kinds that replace each other.

SLIPWAY_TREES=N: how many of each (20); SLIPWAY_SEED=S: begin there, as a failure prints it.
"""
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

SLIPWAY = os.environ["SLIPWAY"]
BUILD = os.environ["top_builddir"]
COUNT = int(os.environ.get("SLIPWAY_TREES", "20"))
SEED = int(os.environ.get("SLIPWAY_SEED", "1"))
os.environ["SLIPWAY_PLUGIN_PATH"] = BUILD + "/plugins/.libs"
NAMES = ["a", "b", "c", "dd", "e.x", ".wh.f"]

# A tree is {path: (kind, mode, seconds, data)}; parents are there, the root is not.


def parents(path):
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path


def below(tree, path):
    return [p for p in tree if p == path or p.startswith(path + "/")]


def directories(tree):
    return [""] + [p for p, e in tree.items() if e[0] == "d"]


def join(directory, name):
    return directory + "/" + name if directory else name


def random_entry(rnd, kinds="ddffl"):
    kind = rnd.choice(kinds)
    mode = {"d": [0o755, 0o700, 0o1777], "f": [0o644, 0o600, 0o4755], "l": [0o777]}[kind]
    data = {"d": None, "f": rnd.choice(["", "x", "yy", "zzz" * 500]), "l": rnd.choice(["a", "/b", "../c/d"])}[kind]
    return kind, rnd.choice(mode), rnd.randrange(1, 3) * 100000000, data


def random_tree(rnd, size):
    tree = {}
    for _ in range(rnd.randrange(size)):
        path = join(rnd.choice(directories(tree)), rnd.choice(NAMES))
        if path not in tree:
            tree[path] = random_entry(rnd)
    return tree


def write(tree, where):
    """The tree as a directory; times of directories last."""
    shutil.rmtree(where, ignore_errors=True)
    os.mkdir(where)
    for path in sorted(tree):
        kind, mode, _, data = tree[path]
        full = os.path.join(where, path)
        if kind == "d":
            os.mkdir(full)
        elif kind == "l":
            os.symlink(data, full)
        else:
            with open(full, "w") as f:
                f.write(data)
        if kind != "l":
            os.chmod(full, mode)
    for path in sorted(tree, reverse=True):
        os.utime(os.path.join(where, path), (tree[path][2],) * 2, follow_symlinks=False)


def union(trees):
    out = {}
    for tree in trees:
        for path, entry in tree.items():
            old = out.get(path)
            if old and not (old[0] == "d" and entry[0] == "d"):
                for p in below(out, path):
                    del out[p]
            for p in parents(path):
                assert out[p][0] == "d"
            out[path] = entry
    return out


def random_actions(rnd, tree, base):
    """Actions on @tree, which they change as they should; lines of the mini language."""
    lines, last, n = [], base, 0
    for _ in range(rnd.randrange(1, 12)):
        what = rnd.choice(["rm", "mkfile", "mkdir", "symlink", "again"])
        path = join(rnd.choice(directories(tree)), rnd.choice(NAMES))
        seconds = rnd.randrange(3, 6) * 100000000
        todo = []
        if what == "again" and tree:  # gone, and something else in its place
            path = rnd.choice(sorted(tree))
            todo.append(f"rm . /{path}")
            for p in below(tree, path):
                del tree[p]
            what = rnd.choice(["mkfile", "mkdir", "symlink"])
        if what == "rm":
            if path not in tree:
                continue
            todo.append(f"rm . /{path}")
            for p in below(tree, path):
                del tree[p]
        elif path in tree and not (what == "mkfile" and tree[path][0] == "f"):
            pass
        elif what == "mkfile":
            text = rnd.choice(["", "new", "newer" * 9])
            mode = tree[path][1] if path in tree else 0o640
            todo.append(f'mkfile . /{path} 0640 "{text}" time={seconds}000000000')
            tree[path] = ("f", mode, seconds, text)
        elif what == "mkdir":
            todo.append(f"mkdir . /{path} 0711 time={seconds}000000000")
            tree[path] = ("d", 0o711, seconds, None)
        elif what == "symlink":
            todo.append(f"symlink . nowhere /{path} time={seconds}000000000")
            tree[path] = ("l", 0o777, seconds, "nowhere")
        for action in todo:  # in the step before, or in one of their own
            if last != base and rnd.random() < 0.6:
                lines.append(f"{last} + {action}")
            else:
                n += 1
                name = f"{base}{n}"
                lines.append(f"{name} = " + action.replace(" . ", f" {last} ", 1))
                last = name
    return lines, last


def build(work, lines, locals_):
    with open(work + "/def", "wb") as out:
        subprocess.run([BUILD + "/tests/tools/llb"], input="\n".join(lines) + "\n", text=True, stdout=out, check=True)
    args = [SLIPWAY, "build", "--progress", "quiet", "--root", work + "/store", "--llb", work + "/def", "-o", "type=tar"]
    for name in locals_:
        args += ["--local", f"{name}={work}/{name}"]
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError("the build failed: " + done.stderr.decode())
    return read(done.stdout)


def read(archive):
    tree = {}
    for e in tarfile.open(fileobj=io.BytesIO(archive)) if archive else []:
        if e.isdir():
            tree[e.name] = ("d", e.mode, int(e.mtime), None)
        elif e.issym():
            tree[e.name] = ("l", 0o777, int(e.mtime), e.linkname)
        elif e.isreg():
            tree[e.name] = ("f", e.mode, int(e.mtime), tarfile_text(archive, e))
        else:
            raise AssertionError(f"{e.name} is of type {e.type}")
    return tree


def tarfile_text(archive, e):
    return archive[e.offset_data:e.offset_data + e.size].decode()


def compare(got, want):
    wrong = [f"{p}: {got.get(p, 'missing')}, wanted {want.get(p, 'nothing')}"
             for p in sorted(set(got) | set(want)) if got.get(p) != want.get(p)]
    if wrong:
        raise AssertionError("\n".join(wrong))


def copies(names):
    lines = ["s = scratch"]
    for name in names:
        lines += [f"l{name} = local {name}", f"{name} = copy s l{name} / / contents"]
    return lines


def unrelated(rnd, work):
    a, b = random_tree(rnd, 25), random_tree(rnd, 25)
    write(a, work + "/A")
    write(b, work + "/B")
    lines = copies("AB") + ["d = diff A B", "m = merge A d", "output m"]
    return lines, "AB", b


def on_top(rnd, work):
    a = random_tree(rnd, 25)
    write(a, work + "/A")
    c = dict(a)
    lines, last = random_actions(rnd, c, "A")
    shape = rnd.randrange(3)
    if shape == 0 or last == "A":
        end = [f"output {last}"]
    elif shape == 1:
        end = [f"d = diff A {last}", "m = merge A d", "output m"]
    else:  # back again: what the actions did is undone by the difference the other way
        end = [f"d = diff {last} A", f"m = merge {last} d", "output m"]
        c = a
    return copies("A") + lines + end, "A", c


def merged(rnd, work):
    names = "ABCD"[:rnd.randrange(2, 5)]
    trees = [random_tree(rnd, 20) for _ in names]
    for name, tree in zip(names, trees):
        write(tree, f"{work}/{name}")
    return copies(names) + ["m = merge " + " ".join(names), "output m"], names, union(trees)


def main():
    failed = False
    kinds = [unrelated, on_top, merged]
    print(f"1..{len(kinds)}")
    for number, kind in enumerate(kinds, 1):
        message = ""
        for seed in range(SEED, SEED + COUNT):
            with tempfile.TemporaryDirectory() as work:
                lines, locals_, want = kind(random.Random(f"{kind.__name__} {seed}"), work)
                try:
                    compare(build(work, lines, locals_), want)
                except AssertionError as e:
                    message = f"SLIPWAY_SEED={seed} SLIPWAY_TREES=1\n" + "\n".join(lines) + f"\n{e}"
                    break
        print(f"{'not ok' if message else 'ok'} {number} - {kind.__name__}: {COUNT} random trees")
        for line in message.splitlines():
            print(f"#   {line}")
        failed = failed or bool(message)
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
