#!/usr/bin/env python3
"""Progress on a real terminal: a small one is played here, and what slipway draws on it is
looked at. Catches: rows that are wider than the terminal, a picture that is drawn beside the
last one, more rows than there is room for, a cursor that stays hidden, colours that were not
wanted, a size that is not looked at again."""
import fcntl, os, pty, re, select, struct, subprocess, tempfile, termios, time

slipway = os.environ["SLIPWAY"]
top = os.environ["top_builddir"]
os.environ["SLIPWAY_PLUGIN_PATH"] = top + "/plugins/.libs"
work = tempfile.TemporaryDirectory()
os.environ["SLIPWAY_ROOT"] = work.name + "/store"
count = 0


def result(good, what, why=""):
    global count
    count += 1
    print(("ok" if good else "not ok"), count, "-", what, flush=True)
    if not good:
        print("\n".join("#   " + line for line in str(why).splitlines()))


class Screen:
    """Rows of text with a cursor; wrapping and scrolling are counted, not forgotten."""

    def __init__(self, rows, cols):
        self.lines, self.row, self.col = [""], 0, 0
        self.rows, self.cols = rows, cols
        self.wrapped, self.colours, self.above = 0, 0, 0
        self.modes = {"?7": True, "?25": True, "?2026": False}

    def put(self, ch):
        if self.col >= self.cols:
            self.wrapped += 1  # cut off, while wrapping is off
            if self.modes["?7"]:
                self.newline()
            else:
                self.col = self.cols - 1
        line = self.lines[self.row].ljust(self.col)
        self.lines[self.row] = line[: self.col] + ch + line[self.col + 1:]
        self.col += 1

    def newline(self):
        self.row, self.col = self.row + 1, 0
        if self.row == len(self.lines):
            self.lines.append("")

    def escape(self, args, end):
        n = int(args) if args.isdigit() else 1
        if end == "A":
            # what scrolled out cannot be reached any more
            top = max(0, len(self.lines) - self.rows)
            if self.row - n < top:
                self.above += 1
            self.row = max(top, self.row - n)
        elif end == "K":
            self.lines[self.row] = self.lines[self.row][: self.col]
        elif end == "J":
            self.lines[self.row] = self.lines[self.row][: self.col]
            del self.lines[self.row + 1:]
        elif end == "m":
            self.colours += args not in ("", "0")
        elif args in self.modes and end in "hl":
            self.modes[args] = end == "h"
        else:
            raise ValueError(f"unknown sequence {args!r}{end!r}")

    def feed(self, text):
        for m in re.finditer(r"\x1b\[([?0-9;]*)([A-Za-z])|(.)", text, re.S):
            if m[2]:
                self.escape(m[1], m[2])
            elif m[3] == "\n":
                self.newline()
            elif m[3] == "\r":
                self.col = 0
            else:
                self.put(m[3])


def size(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def definition(name, text):
    path = f"{work.name}/{name}"
    with open(path, "wb") as f:
        subprocess.run([top + "/tests/tools/llb"], input=text.encode(), stdout=f, check=True)
    return path


def show(path, rows, cols, env=None, resize=None, args=()):
    """Run a build on a terminal; (screen, exit status)."""
    pid, fd = pty.fork()
    if pid == 0:
        time.sleep(0.1)  # until the size is set
        for name in ("COLUMNS", "NO_COLOR", "BUILDKIT_PROGRESS"):
            os.environ.pop(name, None)
        os.environ.update({"TERM": "xterm"}, **(env or {}))
        os.execv(slipway, [slipway, "build", "--progress", "tty", "--llb", path, *args])
    size(fd, rows, cols)
    screen, raw, began = Screen(rows, cols), b"", time.monotonic()
    while True:
        ready, _, _ = select.select([fd], [], [], 0.05)
        if resize and time.monotonic() - began > 0.6:
            rows, cols = resize
            size(fd, rows, cols)
            screen.rows, screen.cols, resize = rows, cols, None
        if not ready:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        raw += data
        text = raw.decode(errors="ignore")
        cut = text.rfind("\x1b", max(0, len(text) - 16))
        raw = b""
        if cut >= 0 and not re.match(r"\x1b\[[?0-9;]*[A-Za-z]", text[cut:]):
            raw, text = text[cut:].encode(), text[:cut]
        screen.feed(text)
    _, status = os.waitpid(pid, 0)
    return screen, os.waitstatus_to_exitcode(status)


def whole(screen, status, steps):
    """The last picture, and nothing else."""
    text = "\n".join(screen.lines)
    heads = re.findall(r"^\[\+\] Building .*", text, re.M) or [""]
    assert status == 0, f"status {status}\n{text}"
    full = heads[0].endswith(f"({steps}/{steps}) FINISHED") or screen.cols < 40
    assert len(heads) == 1 and full, text
    assert not screen.wrapped, f"{screen.wrapped} rows are too wide\n{text}"
    assert not screen.above, f"{screen.above} pictures were higher than the terminal\n{text}"
    assert screen.modes == Screen(1, 1).modes, f"the terminal is left as {screen.modes}"
    assert all(len(line) < screen.cols for line in screen.lines), text
    rows = [line for line in screen.lines if re.match(" => (?!=>)", line)]
    folded = [int(n) for n in re.findall(r"^ => (\d+) (?:steps cached|internal steps)", text, re.M)]
    assert len(rows) - len(folded) + sum(folded) == steps, f"{len(rows)} rows\n{text}"


def check(what, fn, *args):
    try:
        fn(*args)
        result(True, what)
    except Exception as e:
        result(False, what, f"{type(e).__name__}: {e}")


chain = "s0 = scratch\n"
for i in range(150):
    label = f"step {i} " + "with a name that is much too long for it " * (i % 4)
    chain += f's{i + 1} = mkfile s{i} /f{i} 0644 text label="{label}"\n'
many = definition("many", chain + "output s150\n")
check("150 steps in 24 rows", lambda: whole(*show(many, 24, 80), 150))
check("cached, in 10 rows of 40", lambda: whole(*show(many, 10, 40), 150))
check("a very narrow one", lambda: whole(*show(many, 24, 24), 150))


def plain_colours():
    screen, status = show(many, 24, 80, {"NO_COLOR": "1"})
    whole(screen, status, 150)
    assert screen.colours == 0, f"{screen.colours} colours"


check("NO_COLOR", plain_colours)

busybox = subprocess.run(["sh", "-c", "command -v busybox"], capture_output=True, text=True).stdout.strip()
rootfs = work.name + "/rootfs"
os.makedirs(rootfs + "/bin")
subprocess.run(["cp", busybox, rootfs + "/bin/busybox"], check=True)
for applet in ("sh", "sleep", "seq"):
    os.symlink("busybox", f"{rootfs}/bin/{applet}")
noisy = definition("noisy", """l = local rootfs
s = scratch
b = copy s l / / contents
r = run b -- /bin/sh -c "for i in $(seq 30); do echo $i a line that is longer than eighty columns because it says so much about nothing; sleep 0.05; done"
q = run b -- /bin/sh -c "for i in $(seq 12); do echo -e '\\\\033[2Jtab\\\\tin $i'; sleep 0.1; done"
m = merge r q
output m
""")
local = ("--local", "rootfs=" + rootfs)
check("commands that talk", lambda: whole(*show(noisy, 24, 80, args=local), 5))
check("a terminal that grows", lambda: whole(*show(noisy, 12, 50, resize=(30, 100), args=local + ("--no-cache",)), 5))


def shrinks():
    # this one does not break rows that became too long, as xterm does not
    screen, status = show(noisy, 40, 120, {"XTERM_VERSION": "1"}, (12, 60), local + ("--no-cache",))
    text = "\n".join(screen.lines)
    assert status == 0 and screen.modes == Screen(1, 1).modes, text
    last = [n for n, line in enumerate(screen.lines) if "FINISHED" in line]
    assert len(last) == 1, text
    picture = screen.lines[last[0] + 1:screen.lines.index("", last[0])]  # the summary follows
    assert len(picture) >= 5 and all(line.startswith(" => ") for line in picture), text


check("a terminal that shrinks", shrinks)


def interrupted():
    slow = definition("slow", 'l = local rootfs\ns = scratch\nb = copy s l / / contents\nr = run b -- /bin/sleep 1000\noutput r\n')
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(slipway, [slipway, "build", "--llb", slow, *local])
    text, sent = "", False
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        text += data.decode(errors="ignore")
        if not sent and "sleep 1000" in text:
            time.sleep(0.3)
            os.write(fd, b"\x03")  # as a key that is pressed
            sent = True
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1, status
    assert "CANCELED" in text and text.rstrip().endswith("slipway: cancelled: interrupted"), text[-500:]
    for on, off in ("\x1b[?25h", "\x1b[?25l"), ("\x1b[?7h", "\x1b[?7l"), ("\x1b[?2026l", "\x1b[?2026h"):
        assert text.count(off) and text.rfind(on) > text.rfind(off), f"{off!r} was not taken back"


check("Ctrl-C", interrupted)
print(f"1..{count}")
