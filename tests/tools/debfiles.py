#!/usr/bin/env python3
"""debfiles.py [--without PACKAGE... --] PACKAGE... - the files of installed Debian packages and of
all that they depend on, one a line, as paths without the first slash; where they are in a tree
whose /bin, /lib, /lib64 and /sbin are links into /usr. "essential" stands for the packages that
every Debian has. Documentation is left out, and what compilers bring beside compiling. Files of
the packages before "--", and of all that those depend on, are left out, too. What Python made of
its modules when they were installed is among the files."""
import os
import re
import subprocess
import sys

LEFT_OUT = re.compile(
    r"^usr/share/(doc|man|info|locale|lintian)(/|$)|/lto1$|lto-dump|lto-wrapper|/lib[a-z]+san\.|\.gold$|-dwp$"
)


def query(*args):
    return subprocess.run(["dpkg-query", *args], check=True, capture_output=True, text=True).stdout


def names(field):
    """A field of relations as a list of alternatives: [["a"], ["b", "c"]]."""
    return [
        [re.split(r"[ (:]", one.strip(), maxsplit=1)[0] for one in group.split("|")]
        for group in field.split(",")
        if group.strip()
    ]


class Installed:
    def __init__(self):
        self.depends, self.provides, self.essential = {}, {}, []
        form = "${db:Status-Status}\t${Package}\t${Essential}\t${Provides}\t${Pre-Depends},${Depends}\n"
        for line in query("-W", "-f", form).splitlines():
            status, package, essential, provides, depends = line.split("\t")
            if status != "installed":
                continue
            self.depends[package] = names(depends)
            for (virtual,) in names(provides):
                self.provides.setdefault(virtual, package)
            if essential == "yes":
                self.essential.append(package)

    def package(self, name):
        return name if name in self.depends else self.provides.get(name)

    def closure(self, wanted):
        found, todo = set(), []
        for name in wanted:
            todo += self.essential if name == "essential" else [name]
        for name in todo:
            if self.package(name) is None:
                sys.exit(f"debfiles.py: {name} is not installed")
        while todo:
            package = self.package(todo.pop())
            if package in found:
                continue
            found.add(package)
            for alternatives in self.depends[package]:
                todo += [n for n in alternatives if self.package(n)][:1]
        return found


def files(packages):
    """As dpkg knows them: what was diverted is under the name that its package gave it."""
    paths = set()
    for line in query("-L", *sorted(packages)).splitlines() if packages else []:
        path = re.sub(r"^/(bin|sbin|lib|lib64)/", r"/usr/\1/", line)
        if path.startswith("/") and not re.fullmatch(r"/\.?|/(bin|sbin|lib|lib64)", path):
            paths.add(path[1:])
    return paths


def compiled(paths):
    for path in paths:
        if path.endswith(".py"):
            head, name = os.path.split(path)
            module = f"{head}/__pycache__/{name[:-3]}.cpython-{sys.version_info[0]}{sys.version_info[1]}.pyc"
            if os.path.exists("/" + module):
                yield module


def main():
    args, without = sys.argv[1:], []
    if args[:1] == ["--without"]:
        end = args.index("--")
        without, args = args[1:end], args[end + 1 :]
    installed = Installed()
    base = installed.closure(without)
    paths = files(installed.closure(args) - base) - files(base)
    paths |= set(compiled(paths))
    print("\n".join(sorted(p for p in paths if not LEFT_OUT.search(p))))


main()
