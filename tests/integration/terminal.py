#!/usr/bin/env python3
"""terminal.py COMMAND...: a shell behind a terminal of 33 rows and 77 columns.

Catches: a size that is not passed on, at the start or later; bytes such as ^C that do not
reach the command; a terminal that is not set back.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time


def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def until(fd, pattern, seen=b""):
    deadline = time.monotonic() + 10
    while not re.search(pattern, seen):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            sys.exit(f"no {pattern!r} in {seen!r}")
        try:
            seen += os.read(fd, 4096)
        except OSError:
            sys.exit(f"end without {pattern!r} in {seen!r}")
    return seen


def main():
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    size(fd, 33, 77)
    before = termios.tcgetattr(fd)[3]
    until(fd, rb"[$#] ")
    os.write(fd, b"stty size; echo is=$TERM\n")
    until(fd, rb"33 77\r\nis=")
    size(fd, 44, 99)
    time.sleep(0.2)  # the new size is for the next command; nothing waits for it
    os.write(fd, b"stty size\n")
    until(fd, rb"44 99\r\n")
    os.write(fd, b"sleep 100\n")
    time.sleep(0.2)
    os.write(fd, b"\x03")
    until(fd, rb"\^C\r\n")
    os.write(fd, b"exit 17\n")
    seen = b""
    try:
        while chunk := os.read(fd, 4096):
            seen += chunk
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != 17:
        sys.exit(f"exit status {status}: {seen!r}")
    if not before & termios.ICANON:
        sys.exit("the terminal was raw from the start")


main()
