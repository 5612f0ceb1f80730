/*
 * tests/unit/lib/layer/trees.h - what tests of lib/layer share: a tree with one of
 * everything, made by the shell, and how it looks.
 */
#ifndef SLIPWAY_TESTS_UNIT_LIB_LAYER_TREES_H
#define SLIPWAY_TESTS_UNIT_LIB_LAYER_TREES_H

#include "tests/unit/shell.h"

/* Makes "t". */
static const char make_tree[] =
        "mkdir t; cd t; umask 022\n"
        "mkdir -p a/b empty; echo one >a/one; ln a/one a/b/two; ln -s ../one a/b/link\n"
        "ln -s /nowhere/at/all dangling; mkfifo pipe\n"
        "head -c 300000 /dev/urandom >big; truncate -s 1M sparse; echo x >>sparse\n"
        "n=$(printf '%0100d' 0); echo n >$n; echo o >${n}1; echo p >$(printf '%0255d' 0)\n"
        "d=d$n; mkdir -p $d/$d/$d; echo deep >$d/$d/$d/$n; ln -s $d/$d/$d/$n longlink\n"
        "echo u >'na\xc3\xafve'; echo s >' lead and trail '; : >nothing\n"
        "chmod 4711 a/one; chmod 1777 empty; chmod 0 nothing\n"
        "python3 -c 'import os\n"
        "for f, k, v in (\"big\", \"second\", b\"2\"), (\"big\", \"first\", "
        "b\"\\0\\1\\xff\\n\"),"
        " (\"a\", \"dir\", b\"d\"): os.setxattr(f, \"user.\" + k, v)'\n"
        "touch -d @1234567890 a/one; touch -d @-5 big; touch -h -d @99 dangling\n"
        "touch -d @77 empty; if [ $(id -u) = 0 ]; then chown 2097152:3000000 sparse; "
        "mknod null c 1 3; mknod disk b 8 17; fi; touch -d @4242 a\n";

/* Everything that can be seen of the tree in the working directory. */
static const char look_at_tree[] =
        "exec python3 -c '\n"
        "import os, hashlib, stat\n"
        "def look(p):\n"
        "    s = os.lstat(p); l = \"\"\n"
        "    if stat.S_ISLNK(s.st_mode): l = os.readlink(p)\n"
        "    if stat.S_ISREG(s.st_mode): l = hashlib.sha256(open(p, "
        "\"rb\").read()).hexdigest()\n"
        "    n = s.st_size if stat.S_ISREG(s.st_mode) else s.st_rdev\n"
        "    k = 1 if stat.S_ISDIR(s.st_mode) else s.st_nlink\n"
        "    print(ascii(p), oct(s.st_mode), s.st_uid, s.st_gid, int(s.st_mtime // 1), l, "
        "k, n)\n"
        "    for x in sorted(os.listxattr(p, follow_symlinks=False)):\n"
        "        print(ascii(p), x, os.getxattr(p, x, follow_symlinks=False))\n"
        "for d, ds, fs in os.walk(\".\"):\n"
        "    ds.sort()\n"
        "    for f in sorted(ds + fs): look(os.path.join(d, f))'";

#endif
