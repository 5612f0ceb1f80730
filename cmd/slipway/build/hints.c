/*
 * cmd/slipway/build/hints.c - see hints.h. The first entry that fits is told; a hint is
 * worth less than the error itself, so it says what to try and does not repeat it.
 * Thread: main.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <slipway/text.h>

#include "cmd/slipway/build/hints.h"
#include "cmd/slipway/term.h"

enum { NAME_MAX_SHOWN = 80 };

static bool
has(const char *text, const char *part)
{
        return strcasestr(text, part) != NULL;
}

static bool
message_has(const struct hint_case *c, const char *part)
{
        return has(c->message, part);
}

/* The last lines of what the step printed. */
static const char *
log_line(const struct hint_case *c, const char *part)
{
        const struct model_step *s = c->step;
        size_t n = !s ? 0 : s->n_tail < MODEL_LAST ? s->n_tail : MODEL_LAST;

        for (size_t i = 0; i < n; i++) {
                const char *line = s->tail[(s->n_tail - 1 - i) % MODEL_TAIL];

                if (has(line, part))
                        return line;
        }
        return NULL;
}

static bool
step_is(const struct hint_case *c, const char *word)
{
        return c->step && strstr(c->step->name, word) != NULL;
}

/* ---- Entries that look closer ---- */

/* "executable file `cc` not found in $PATH" of crun, "exec: "cc": executable file not
 * found" of runc. */
static char *
missing_program(const char *message)
{
        static const struct {
                const char *before;
                char after;
        } ways[] = { { "executable file `", '`' }, { "exec: \"", '"' } };

        for (size_t i = 0; i < SW_COUNT(ways); i++) {
                const char *p = strstr(message, ways[i].before);
                const char *end =
                        p ? strchr(p + strlen(ways[i].before), ways[i].after) : NULL;

                if (!end)
                        continue;
                p += strlen(ways[i].before);
                if (end > p && end - p < NAME_MAX_SHOWN)
                        return sw_strndup(p, (size_t) (end - p));
        }
        return NULL;
}

/* "/bin/sh: 1: cc: not found", "sh: line 1: cc: command not found": the word in front. */
static char *
missing_command(const struct hint_case *c)
{
        static const char *const ends[] = { ": not found", ": command not found" };

        for (size_t i = 0; i < SW_COUNT(ends); i++) {
                const char *line = log_line(c, ends[i]);
                const char *end = line ? strstr(line, ends[i]) : NULL, *p = end;

                while (p && p > line && p[-1] != ' ' && p[-1] != ':')
                        p--;
                if (p && p < end && end - p < NAME_MAX_SHOWN)
                        return sw_strndup(p, (size_t) (end - p));
        }
        return NULL;
}

static bool
no_command(sw_buf *b, const struct hint_case *c)
{
        bool program = message_has(c, "executable file") && message_has(c, "not found");
        sw_auto(sw_str) name = NULL;

        if (!message_has(c, "exit code: 127") && !program)
                return false;
        name = program ? missing_program(c->message) : missing_command(c);
        if (name)
                term_add_text(b, name);
        else
                sw_buf_adds(b, "a command");
        sw_buf_adds(b, " is not in this image: install it in an earlier step, or look at "
                       "its spelling and at PATH");
        if (!name || strchr(name, '/'))
                sw_buf_adds(b, "; a script may name an interpreter in its first line that "
                               "is not there, or end its lines with CR LF");
        return true;
}

/* The path in an error like: "/x": not found. */
static char *
missing_path(const char *message)
{
        const char *end = strstr(message, "\": not found"), *p;

        if (!end)
                end = strstr(message, "\": No such file");
        if (!end)
                end = strstr(message, "\" not found");
        for (p = end; p && p > message && p[-1] != '"'; p--)
                ;
        return p && p > message && p < end ? sw_strndup(p, (size_t) (end - p)) : NULL;
}

static bool
is_in(const char *dir, const char *path)
{
        sw_auto(sw_str) full = sw_asprintf("%s/%s", dir, path);
        struct stat st;

        return lstat(full, &st) == 0;
}

static bool
no_source(sw_buf *b, const struct hint_case *c)
{
        const char *ignore = c->ignore_file ? c->ignore_file : ".dockerignore";
        sw_auto(sw_str) path = missing_path(c->message);

        if (!path || !(step_is(c, "COPY ") || step_is(c, "ADD ")))
                return false;
        if (step_is(c, "--from=")) {
                sw_buf_adds(b, "--from takes it from that stage or image: it has to be "
                               "made there, under this path");
                return true;
        }
        if (c->context && is_in(c->context, path)) {
                term_add_text(b, path + strspn(path, "/"));
                sw_buf_adds(b, " is in the directory, but ");
                term_add_text(b, ignore);
                sw_buf_adds(b, " leaves it out: it comes back with a line !");
                term_add_text(b, path + strspn(path, "/"));
                return true;
        }
        sw_buf_adds(b, "paths are looked for below the directory that is built (CONTEXT), "
                       "and what ");
        term_add_text(b, ignore);
        sw_buf_adds(b, " leaves out is not there");
        return true;
}

/* What slipway itself may not do; commands are run by root in any case. */
static bool
not_root(sw_buf *b, const struct hint_case *c)
{
        if (!c->not_root || message_has(c, "did not complete successfully") ||
            !(message_has(c, "operation not permitted") ||
              message_has(c, "permission denied")))
                return false;
        sw_buf_adds(b,
                    "steps that write files or run commands need root: sudo slipway ..., "
                    "or, where /etc/subuid has a range for this user, unshare "
                    "--map-root-user --map-auto --mount slipway ...");
        return true;
}

static bool
bad_instruction(sw_buf *b, const struct hint_case *c)
{
        static const char *const known[] = {
                "ADD",        "ARG",         "CMD",   "COPY",    "ENTRYPOINT", "ENV",
                "EXPOSE",     "FROM",        "LABEL", "ONBUILD", "RUN",        "SHELL",
                "STOPSIGNAL", "HEALTHCHECK", "USER",  "VOLUME",  "WORKDIR",
        };
        static const char text[] = "unknown instruction: ";
        const char *at = strstr(c->message, text), *near;
        sw_auto(sw_str) word = NULL;

        if (!at || message_has(c, "did you mean"))
                return false;
        at += sizeof(text) - 1;
        word = sw_strndup(at, strcspn(at, " \n\t"));
        for (char *p = word; *p; p++)
                *p = (char) toupper((unsigned char) *p);
        near = sw_near(word, known, SW_COUNT(known));
        if (near)
                sw_buf_addf(b, "did you mean %s?", near);
        else
                sw_buf_adds(b, "a line that goes on from the one before needs a \\ at the "
                               "end of that");
        return true;
}

/* ---- The table ---- */

struct hint {
        const char *const *message; /* one of these is in the error ... */
        const char *const *log;     /* ... or in what the step printed at last */
        bool failed;                /* only for commands that failed */
        const char *text;
};

#define ANY(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct hint hints[] = {
        { ANY("out of memory", "exit code: 137"), NULL, false,
          "it needs less at once (make -j1, a smaller heap) or a machine, or limit, with "
          "more memory" },
        { ANY("No space left"), ANY("No space left", "enough free space"), false,
          "slipway du says what the cache has, slipway prune empties it; --root puts it on "
          "another disk" },
        { ANY("this machine has no emulator for "), NULL, false,
          "the packages qemu-user-static and binfmt-support bring emulators; a stage that "
          "begins with FROM --platform=$BUILDPLATFORM runs here and needs none" },
        { NULL, ANY("exec format error"), false,
          "the program is for another processor: take an image of this --platform, or "
          "install emulation (binfmt_misc)" },
        { ANY("exec format error"), NULL, false,
          "the program is for another processor, or a script without #! in its first "
          "line" },
        { ANY("exit code: 126", "permission denied: exec"), NULL, false,
          "the file is there and cannot be executed: chmod +x (or COPY --chmod=755), and "
          "see that it is made for this platform" },
        { NULL,
          ANY("could not resolve host", "temporary failure in name resolution",
              "temporary failure resolving", "bad address", "name or service not known",
              "no such host", "network is unreachable"),
          true,
          "the step reaches no network: --network, the machine's own, or a proxy "
          "(--build-arg HTTPS_PROXY=...) that it has to use" },
        { ANY("could not resolve host", "couldn't resolve", "no such host",
              "name resolution", "network is unreachable"),
          NULL, false,
          "is there a network, and is the name right? Mirrors and proxies can be "
          "configured; slipway help config" },
        { ANY("toomanyrequests", "too many requests"), NULL, false,
          "the registry limits who is not logged in: docker login, or a mirror in the "
          "configuration" },
        { ANY("unauthorized", "authentication required", "insufficient_scope",
              "access denied", "authorization failed"),
          NULL, false,
          "docker login REGISTRY keeps a credential for it; a misspelt name is answered "
          "like a private one" },
        { ANY("manifest unknown", "name unknown"), NULL, false,
          "the registry has no image of that name and tag: look at both" },
        { ANY("certificate"), NULL, false,
          "a private CA of a registry goes into the configuration; slipway help config" },
        { NULL,
          ANY("unable to locate package", "has no installation candidate",
              "unable to select packages"),
          true,
          "the list of packages is missing or old: apt-get update (apk update) in the same "
          "RUN, and look at the name" },
        { NULL,
          ANY("certificate verify failed", "SSL certificate problem", "unknown authority",
              "certificate is not trusted"),
          true,
          "does the image have ca-certificates, and your own CA where there is one?" },
        { NULL, ANY("/run/secrets/"), true,
          "a secret is there when the build is given it: --secret id=ID,src=FILE, with the "
          "ID "
          "of its mount" },
        { ANY("looking for matching double-quote", "looking for matching single-quote"),
          NULL, false,
          "names with blanks are written in the JSON form: COPY [\"a name\", \"/to/\"]" },
        { NULL, ANY("read-only file system"), true,
          "only a mount with rw, and the image's own directories, can be written to" },
        { NULL, ANY("permission denied", "operation not permitted"), true,
          "who runs it (USER) may not: look at owners (COPY --chown), or at what is done "
          "as "
          "root before USER" },
        { ANY("setrlimit"), NULL, false,
          "--ulimit asks for more than this machine, or this user, may have" },
        { ANY("network.host is not allowed", "security.insecure is not allowed"), NULL,
          false, "--allow gives a build what it does not have by itself" },
};

static bool
fits(const struct hint *h, const struct hint_case *c)
{
        for (size_t i = 0; h->message && h->message[i]; i++)
                if (message_has(c, h->message[i]))
                        return true;
        if (h->failed && !message_has(c, "did not complete successfully: exit code"))
                return false; /* not even begun, by the runtime's words */
        for (size_t i = 0; h->log && h->log[i]; i++)
                if (log_line(c, h->log[i]))
                        return true;
        return false;
}

static bool
from_table(sw_buf *b, const struct hint_case *c)
{
        for (size_t i = 0; i < SW_COUNT(hints); i++)
                if (fits(&hints[i], c)) {
                        sw_buf_adds(b, hints[i].text);
                        return true;
                }
        return false;
}

void
hints_add(sw_buf *b, const struct hint_case *c)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (!no_command(&text, c) && !no_source(&text, c) && !not_root(&text, c) &&
            !bad_instruction(&text, c) && !from_table(&text, c))
                return;
        sw_buf_addf(b, "%shint:%s ", c->colour ? c->colour : "",
                    c->colour ? "\033[0m" : "");
        term_add_wrapped(b, text.data, sizeof("hint: ") - 1, c->width);
}
