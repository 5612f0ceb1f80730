#!/usr/bin/env python3
"""story.py [SECONDS [STEPS [fail|nice]]]: the story of a build that was never made, as a trace for
tests/tools/replay. Stages run side by side; base images are pulled, commands print what
programs print (colours, carriage returns, sequences that would take a terminal over), the
result is pushed. "fail": one command does; "nice": all that is printed is harmless, for the
documentation."""
import base64, hashlib, heapq, json, random, sys

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 200
fail = sys.argv[3:] == ["fail"]
nice = sys.argv[3:] == ["nice"]
rand = random.Random(1)
T0 = 1700000000
events = []  # (when, n, update)


def at(when, **update):
    heapq.heappush(events, (when, len(events), update))


def stamp(when):
    whole = int(when)
    h, m, s = whole // 3600, whole // 60 % 60, whole % 60
    return f"2023-11-15T{h:02}:{m:02}:{s:02}.{int((when - whole) * 1e9):09}Z"


def digest(name):
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


class Step:
    def __init__(self, name, inputs=()):
        self.v = {"digest": digest(name), "name": name}
        if inputs:
            self.v["inputs"] = [i.v["digest"] for i in inputs]
        at(0, vertexes=[dict(self.v)])

    def run(self, start, end, cached=False, error=None):
        at(start, vertexes=[dict(self.v, started=stamp(start))])
        done = dict(self.v, started=stamp(start), completed=stamp(end))
        if cached:
            done["cached"] = True
        if error:
            done["error"] = error
        at(end, vertexes=[done])
        return end

    def log(self, when, text, stream=1):
        at(when, logs=[{"vertex": self.v["digest"], "stream": stream, "timestamp": stamp(when),
                        "data": base64.b64encode(text.encode()).decode()}])

    def status(self, id, when, current, total, start, end=None):
        s = {"id": id, "vertex": self.v["digest"], "current": current, "timestamp": stamp(when), "started": stamp(start)}
        if total:
            s["total"] = total
        if end:
            s["completed"] = stamp(end)
        at(when, statuses=[s])

    def transfer(self, id, total, start, end):
        when, k = start, 0
        n = max(2, int((end - start) / 0.2))
        for k in range(n):
            when = start + (end - start) * k / n
            self.status(id, when, total * k // n, total, start)
        self.status(id, end, total, total, start, end)


LINES = [
    "gcc -O2 -c src/module.c -o module.o",
    "\033[1m\033[31mwarning:\033[0m unused variable \033[32m'x'\033[0m",
    "\033[2J\033[1;1Htakes the screen over\033]0;title\007",
    "10%\r 20%\r 55% of 漢字.tar ⛵",
    "tab\tand \x07 bell and \x1b(0 line drawing \x1b[?1049h",
    "\u202eright to left " + "long " * 40,
]
names = ["RUN make -j2", "COPY . /src", "RUN apt-get install -y " + "package " * 30, "WORKDIR /漢字/⛵", "RUN echo $'\\x1b[2J'"]
if nice:
    LINES = [f"cc -O2 -c {name}.c -o {name}.o" for name in ("main", "lexer", "parser", "emit", "link")]
    names = ["RUN apt-get install -y gcc make", "WORKDIR /src", "COPY . /src", "RUN make -j2"]

load = Step("[internal] load build definition from Dockerfile")
load.run(0.0, 0.05)
load.transfer("transferring dockerfile:", 1234, 0.0, 0.04)
for image in "debian", "alpine":
    Step(f"[internal] load metadata for docker.io/library/{image}:latest").run(0.05, 0.3)
stages = max(1, min(6, steps // 4))
per = [steps // stages + (i < steps % stages) for i in range(stages)]
ends, tails, failed = [], [], None
for i in range(stages):
    stage = ["base", "build", "test", "docs", "assets", "final"][i % 6] + ("" if i < 6 else str(i))
    now = 0.3 + 0.1 * i
    last = None
    for k in range(1, per[i] + 1):
        if k == 1:
            name = f"[{stage} {k}/{per[i]}] FROM docker.io/library/debian:12@{digest(stage)}"
        else:
            name = f"[{stage} {k:{len(str(per[i]))}}/{per[i]}] {names[(k if nice else i + k) % len(names)]}" + ("" if nice else f" # {k}")
        s = Step(name, [last] if last else [])
        last = s
        share = (seconds * 0.8 - now) / (per[i] - k + 1)
        took = max(share * rand.uniform(0.3, 1.7), 0.02)
        if k == 1 and i < 2:
            for layer in range(4):
                s.transfer(digest(f"{stage}{layer}"), 1000000 * (10 + 7 * layer), now + 0.02 * took * layer, now + took * (0.2 + 0.2 * layer))
        elif k % 5 == 2:
            now = s.run(now, now + 0.001, cached=True)
            continue
        elif took > 0.05:
            for line in range(min(40, int(took / 0.05))):
                when = now + took * line / min(40, int(took / 0.05))
                s.log(when, LINES[(line + k) % len(LINES)] + "\n", 1 + line % 2)
        bad = fail and i == 1 and k == per[i]
        if bad:
            failed = s
            s.log(now + took * 0.9, "/bin/sh: cc: not found\n", 2)
        now = s.run(now, now + took, error='process "/bin/sh -c cc" did not complete successfully: exit code: 127' if bad else None)
    ends.append(now)
    tails.append(last)
if not fail:
    out = Step("exporting to image", tails)
    now = max(ends)
    out.status("exporting layers", now, 0, 0, now, now + seconds * 0.05)
    push = now + seconds * 0.05
    for layer in range(5):
        out.transfer("pushing " + digest(f"out{layer}"), 3000000 * (layer + 1), push, push + seconds * 0.03 * (layer + 1) / 5 * 3)
    for layer in range(2):
        d = "pushing " + digest(f"shared{layer}")
        out.status(d, push, 0, 9000000, push)
        out.status(d + ": exists", push + 0.01, 0, 0, push, push + 0.01)
    out.run(now, push + seconds * 0.1)
else:
    out = Step("exporting to image", tails)
while events:
    when, _, update = heapq.heappop(events)
    print(json.dumps(update, separators=(",", ":")))
