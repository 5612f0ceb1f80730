#!/usr/bin/env python3
"""Progress in tmux, a terminal that people have: stories (story.py) are shown there by
tests/tools/replay, and what is on the screen is looked at. Catches: rows that wrap, pictures
that are drawn beside the last one or scroll away, a size that is not looked at again, what
is left of the terminal when the program is killed or suspended, colours that were not asked
for, sequences of logs that reach the terminal.

tmux.py capture WIDTH HEIGHT SECONDS STORY...: prints the screen, for the documentation."""
import concurrent.futures, itertools, os, re, signal, subprocess, sys, tempfile, time

top = os.environ.get("top_builddir", "build")
here = os.path.dirname(os.path.abspath(__file__))
replay = top + "/tests/tools/replay"
work = tempfile.TemporaryDirectory()
socket = work.name + "/tmux"
numbers = itertools.count(1)


def tmux(*args, check=True):
    run = subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *args], capture_output=True, text=True)
    if check and run.returncode:
        raise RuntimeError(f"tmux {args[0]}: {run.stderr}")
    return run.stdout


class Terminal:
    """A window with a shell; what it had before is gone."""

    def __init__(self, width, height, env=()):
        env = "".join(f"{k}={v} " for k, v in {"TERM": "tmux-256color", **dict(env)}.items())
        clean = "env -u NO_COLOR -u BUILDKIT_COLORS -u BUILDKIT_PROGRESS -u COLUMNS -u LINES"
        self.name = f"t{next(numbers)}"
        tmux("new-session", "-d", "-s", self.name, "-x", str(width), "-y", str(height),
             f"{clean} {env} PS1='READY ' bash --norc --noprofile -i")
        tmux("set-option", "-t", self.name, "history-limit", "10000")
        self.until(r"READY")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tmux("kill-session", "-t", self.name, check=False)

    def type(self, text):
        tmux("send-keys", "-t", self.name, "-l", text)
        tmux("send-keys", "-t", self.name, "Enter")

    def key(self, name):
        tmux("send-keys", "-t", self.name, name)

    def size(self, width, height):
        tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))

    def screen(self, *args):
        return tmux("capture-pane", "-p", "-t", self.name, *args).rstrip("\n").split("\n")

    def all(self):
        """With what scrolled away."""
        return self.screen("-S", "-")

    def flags(self):
        return tmux("display-message", "-p", "-t", self.name, "#{cursor_flag} #{wrap_flag}").strip()

    def pid(self):
        return tmux("display-message", "-p", "-t", self.name, "#{pane_pid}").strip()

    def until(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = "\n".join(self.screen())
            if re.search(pattern, text):
                return text
            time.sleep(0.03)
        raise AssertionError(f"no {pattern!r} in\n{text}")


def story(*args):
    path = f"{work.name}/{next(numbers)}.json"
    with open(path, "w") as f:
        subprocess.run([sys.executable, here + "/story.py", *args], stdout=f, check=True)
    return path


def command(path, speed=1, mode="tty"):
    return f"clear; {replay} {mode} {path} {speed}; echo EN''DED $?"


def whole(lines, width, height, last=False):
    """One picture, and nothing else."""
    text = "\n".join(lines)
    heads = [i for i, line in enumerate(lines) if line.startswith("[+] Building")]
    assert len(heads) == 1, f"{len(heads)} pictures\n{text}"
    rows = []
    for line in lines[heads[0] + 1:]:
        if not line.startswith(" =>"):
            break
        rows.append(line)
    left = [line for line in lines[heads[0] + 1 + len(rows):] if line and not re.match(r"ENDED|READY|-----", line)]
    assert not left, f"{left} is no row\n{text}"
    assert heads[0] == 0 or last, f"the picture begins below the top\n{text}"
    assert last or len(rows) < height - 1, f"{len(rows)} rows in {height}\n{text}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text), repr(text)
    return rows


def settled(t, check):
    """A picture may be caught while it is written: a second look decides."""
    for attempt in range(4):
        try:
            return check(t.screen())
        except AssertionError:
            if attempt == 3 or any("ENDED" in line for line in t.screen()):
                raise
            time.sleep(0.02)


def played(width, height):
    with Terminal(width, height) as t:
        t.type(command(story("2.5", "200")))
        t.until(r"^\[\+\] Building")
        seen, folded = 0, False
        while not any("ENDED" in line for line in t.screen()):
            try:
                rows = settled(t, lambda s: whole(s, width, height))
            except AssertionError:
                if any("ENDED" in line for line in t.screen()):
                    break
                raise
            seen += 1
            folded |= any(re.match(r" => \d+ steps cached", r) for r in rows)
            time.sleep(0.1)
        t.until(r"ENDED 0")
        assert seen > 2, f"only {seen} pictures"
        assert folded, "no cached steps were folded"
        lines = t.all()
        rows = whole(lines, width, height, last=True)
        text = "\n".join(lines)
        if width >= 40:
            assert "FINISHED" in lines[0] or any("FINISHED" in line for line in lines), text
        stages = [m[1] for m in (re.match(r" => (?:CACHED )?\[(\w+) +\d+/", r) for r in rows) if m]
        once = [s for i, s in enumerate(stages) if i == 0 or stages[i - 1] != s]
        assert len(once) == len(set(once)), f"stages are mixed: {once}"
        assert len(rows) > 100, f"{len(rows)} rows\n{text}"


def resized():
    with Terminal(100, 30) as t:
        t.type(command(story("9", "60")))
        t.until(r"^\[\+\] ")
        for width, height in (50, 15), (20, 10), (120, 40), (80, 24):
            time.sleep(0.4)
            t.size(width, height)
            time.sleep(0.4)
            settled(t, lambda s: valid_after(s, width, height))
        t.until(r"ENDED 0")
        lines = t.all()
        last = max(i for i, line in enumerate(lines) if line.startswith("[+] Building"))
        whole(lines[last:], 80, 24, last=True)
        assert "FINISHED" in lines[last], "\n".join(lines)


def valid_after(lines, width, height):
    """What scrolled away while the size changed may be seen above; below it is one picture."""
    heads = [i for i, line in enumerate(lines) if line.startswith("[+]")]
    assert heads, "\n".join(lines)
    whole(lines[heads[-1]:], width, height)


def colours(env, wanted, unwanted):
    with Terminal(80, 24, env) as t:
        t.type(command(story("0.5", "12"), 0))
        t.until(r"ENDED 0")
        text = "\n".join(t.screen("-e"))
        assert wanted in text, repr(text)
        assert not unwanted or unwanted not in text, repr(text)


def piped():
    run = subprocess.run([replay, "auto", story("0.5", "12"), "0"], capture_output=True)
    assert run.returncode == 0 and not run.stdout, run
    for line in run.stderr.decode().split("\n"):
        assert not line or re.match(r"#\d+ ", line), repr(line)


def dumb():
    with Terminal(80, 24, {"TERM": "dumb"}) as t:
        t.type(command(story("0.5", "12"), 0, "auto"))
        assert "#1 [internal]" in t.until(r"ENDED 0") or any("#1 [internal]" in line for line in t.all())


def killed(by):
    with Terminal(80, 24) as t:
        t.type(command(story("20", "60")))
        t.until(r"\[base 1/10\]")
        shell = t.pid()
        with open(f"/proc/{shell}/task/{shell}/children") as f:
            os.kill(int(f.read()), by)
        t.until(r"ENDED")
        assert t.flags() == "1 1", f"cursor and wrapping: {t.flags()}"


def suspended():
    with Terminal(80, 24) as t:
        t.type(command(story("5", "12")))
        t.until(r"\[base 1/4\]")
        t.key("C-z")
        t.until(r"Stopped")
        time.sleep(2.6)
        t.type("fg")
        t.until(r"(?s)Stopped.*fg.*\[\+\] Building")
        t.until(r"FINISHED")
        text = "\n".join(t.all())
        assert len(re.findall(r"^\[\+\] Building", text, re.M)) == 2, text


def failed():
    with Terminal(100, 40) as t:
        t.type(command(story("1", "12", "fail")))
        t.until(r"ENDED 0")
        text = "\n".join(t.all())
        assert re.search(r"^ => ERROR \[build 4/4\]", text, re.M), text
        assert re.search(r"^------\n > \[build 4/4\][^\n]*:\n(?:[^\n]*\n)*[0-9.]+ /bin/sh: cc: not found\n------$", text, re.M), text


def window(lines, most):
    with Terminal(80, 40, {"BUILDKIT_TTY_LOG_LINES": str(lines)}) as t:
        t.type(command(story("6", "4")))
        rows = t.until(r"(?s)\[base 3/4\]" + ".*=> => # " * most)
        assert len(re.findall(r"^ => => # ", rows, re.M)) <= most, rows


def check(fn, *args):
    try:
        fn(*args)
    except Exception as e:
        return f"{type(e).__name__}: {e}"


checks = [(f"200 steps in {w} columns and {h} rows", played, w, h) for w, h in ((120, 40), (80, 24), (40, 12), (20, 10))] + [
    ("a terminal whose size changes", resized),
    ("colours", colours, {}, "\033[34m", None),
    ("NO_COLOR", colours, {"NO_COLOR": "1"}, "FINISHED", "\033[3"),
    ("BUILDKIT_COLORS", colours, {"BUILDKIT_COLORS": "run=green:warning=1,2,3"}, "\033[32m", "\033[34m"),
    ("a pipe", piped),
    ("TERM=dumb", dumb),
    ("killed by SIGKILL", killed, signal.SIGKILL),
    ("killed by SIGTERM", killed, signal.SIGTERM),
    ("suspended, and in the foreground again", suspended),
    ("a step that fails", failed),
    ("BUILDKIT_TTY_LOG_LINES", window, 3, 3),
]


def capture(width, height, seconds, *args):
    with Terminal(width, height) as t:
        t.type(command(story(*args)))
        t.until(r"\[\+\]")
        time.sleep(float(seconds))
        print("\n".join(t.screen()))


try:
    if sys.argv[1:2] == ["capture"]:
        capture(int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
        sys.exit(0)
    tmux("new-session", "-d", "-s", "first")  # starts the server
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = [pool.submit(check, *c[1:]) for c in checks]
        for i, (c, r) in enumerate(zip(checks, results), 1):
            why = r.result()
            print("not ok" if why else "ok", i, "-", c[0], flush=True)
            if why:
                print("\n".join("#   " + line for line in why.splitlines()))
    print(f"1..{len(checks)}")
finally:
    tmux("kill-server", check=False)
