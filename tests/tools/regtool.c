/*
 * tests/tools/regtool.c - the registry client from the command line, for tests.
 *
 *      regtool [OPTION...] resolve NAME                 prints "TYPE DIGEST SIZE"
 *      regtool [OPTION...] document NAME TYPE DIGEST [MAX]
 *      regtool [OPTION...] fetch NAME DIGEST SIZE [FILE]
 *              to standard output; FILE has the first bytes already
 *      regtool [OPTION...] fetch-all NAME DIGEST:SIZE...   at once, bytes are dropped
 *      regtool [OPTION...] tags NAME
 *      regtool [OPTION...] referrers NAME DIGEST [TYPE]    prints "DIGEST TYPE"
 *      regtool [OPTION...] has NAME DIGEST [manifest]      prints yes or no
 *      regtool [OPTION...] push NAME FILE [REPO...]    prints sent, existed or mounted
 *      regtool [OPTION...] manifest NAME TYPE FILE [digest]    under the tag, or by digest
 *
 *      --chunked          of push
 *      --config FILE      registries as configured
 *      --user U --secret S    credentials; no --user: S is an identity token
 *      --session          those of the local session (Docker's config.json)
 *      --insecure, --push
 *      --stall SECONDS, --retry-ms MS
 *      --cancel-after MS  cancels; the tool fails unless that ends the call within a second
 *      --slow MS          a sink that takes so long for each piece
 *      --repeat N         all of it N times, by the same client, --pause MS between
 *
 * On failure "CODE: message" goes to standard error, exit status 1.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/io.h>
#include <slipway/localsession.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/registry/registry.h"

static struct {
        const char *config, *user, *secret;
        bool session, insecure, push, chunked;
        int stall, retry_ms, cancel_after, slow, repeat, pause;
        sw_registry *r;
        struct sw_registry_call call;
        sw_image_name name;
} o = { .repeat = 1 };

static sw_err *
credentials(void *self, sw_ctx *ctx, const char *host, char **user, char **secret)
{
        (void) self;
        (void) ctx;
        (void) host;
        *user = sw_strdup(o.user);
        *secret = sw_strdup(o.secret);
        return SW_OK;
}

static void
places(void *self, sw_buf *out)
{
        (void) self;
        sw_buf_adds(out, "the command line");
}

static const struct sw_session_ops session_ops = {
        .size = sizeof(session_ops),
        .credentials = credentials,
        .credential_places = places,
};

/* ---- verbs ---- */

static sw_err *
do_resolve(char **argv)
{
        sw_auto(sw_desc) d = { 0 };
        char s[SW_DIGEST_STR_SIZE];
        sw_err *err = sw_registry_resolve(o.r, &o.call, &d, NULL);

        (void) argv;
        if (!err)
                (void) printf("%s %s %lld\n", d.media_type ?: "-",
                              sw_digest_str(&d.digest, s), (long long) d.size);
        return err;
}

static sw_err *
read_desc(const char *digest, const char *size, sw_desc *d)
{
        sw_err *err = sw_digest_parse(digest, SIZE_MAX, &d->digest);

        d->size = -1;
        return err || !size ? err : sw_parse_int(size, -1, INT64_MAX, &d->size);
}

static sw_err *
do_document(char **argv)
{
        sw_auto(sw_desc) d = { .media_type = sw_strdup(argv[0]) };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        int64_t max = SW_MANIFEST_MAX;

        sw_err *err = read_desc(argv[1], NULL, &d);
        if (!err && argv[2])
                err = sw_parse_int(argv[2], 0, INT32_MAX, &max);
        if (!err)
                err = sw_registry_document(o.r, &o.call, &d, (size_t) max, &b);
        if (!err)
                (void) fwrite(b.data, 1, b.len, stdout);
        return err;
}

static sw_err *
to_stdout(void *arg, const void *p, size_t n)
{
        (void) arg;
        if (o.slow)
                (void) sw_cancel_wait(sw_ctx_cancel(o.call.ctx), o.slow * SW_NS_PER_MS);
        int rc = sw_write_all(STDOUT_FILENO, p, n);
        return rc ? sw_err_sys(SW_E_IO, rc, "the sink") : SW_OK;
}

static sw_err *
do_fetch(char **argv)
{
        sw_auto(sw_desc) d = { 0 };
        struct sw_blob_sink sink = { .write = to_stdout };
        sw_hasher *prior = NULL;
        int64_t from = 0;

        sw_err *err = read_desc(argv[0], argv[1], &d);
        if (!err && argv[2]) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                err = sw_buf_read_file(&b, AT_FDCWD, argv[2], SIZE_MAX);
                prior = sw_hasher_new();
                sw_hasher_add(prior, b.data, b.len);
                from = (int64_t) b.len;
        }
        if (err) {
                sw_hasher_free(prior);
                return err;
        }
        return sw_registry_blob(o.r, &o.call, &d, from, prior, &sink);
}

static sw_err *
drop(void *arg, const void *p, size_t n)
{
        (void) arg;
        (void) p;
        (void) n;
        if (o.slow)
                (void) sw_cancel_wait(sw_ctx_cancel(o.call.ctx), o.slow * SW_NS_PER_MS);
        return SW_OK;
}

static void *
fetch_one(void *arg)
{
        sw_auto(sw_str) digest = arg;
        char *size = digest + SW_DIGEST_STR_LEN;
        struct sw_blob_sink sink = { .write = drop };
        sw_auto(sw_desc) d = { 0 };

        *size++ = '\0';
        sw_err *err = read_desc(digest, size, &d);
        return err ?: sw_registry_blob(o.r, &o.call, &d, 0, NULL, &sink);
}

static sw_err *
do_fetch_all(char **argv)
{
        pthread_t threads[64];
        size_t n = 0;
        sw_err *err = SW_OK;

        for (; argv[n] && n < SW_COUNT(threads); n++) {
                if (pthread_create(&threads[n], NULL, fetch_one, sw_strdup(argv[n])) != 0)
                        abort();
        }
        while (n-- > 0) {
                void *one = NULL;

                pthread_join(threads[n], &one);
                sw_err_free(err ? one : NULL);
                err = err ?: one;
        }
        return err;
}

static sw_err *
do_tags(char **argv)
{
        sw_auto(sw_strlist) tags = { 0 };
        sw_err *err = sw_registry_tags(o.r, &o.call, &tags);

        (void) argv;
        for (size_t i = 0; i < tags.n; i++)
                (void) puts(tags.v[i]);
        return err;
}

static sw_err *
do_referrers(char **argv)
{
        sw_descs found = { 0 };
        char s[SW_DIGEST_STR_SIZE];
        sw_digest d;

        sw_err *err = sw_digest_parse(argv[0], SIZE_MAX, &d);
        if (!err)
                err = sw_registry_referrers(o.r, &o.call, &d, argv[1], &found);
        for (size_t i = 0; i < found.n; i++)
                (void) printf("%s %s\n", sw_digest_str(&found.v[i].digest, s),
                              found.v[i].artifact_type ?: "-");
        sw_descs_release(&found);
        return err;
}

static sw_err *
do_has(char **argv)
{
        sw_auto(sw_desc) d = { 0 };
        bool there = false;

        sw_err *err = read_desc(argv[0], NULL, &d);
        if (!err)
                err = sw_registry_has(o.r, &o.call, &d, argv[1] != NULL, &there);
        if (!err)
                (void) puts(there ? "yes" : "no");
        return err;
}

static sw_err *
open_file(void *arg, sw_ctx *ctx, int *fd)
{
        (void) ctx;
        *fd = open(arg, O_RDONLY | O_CLOEXEC);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open %s", (const char *) arg) : SW_OK;
}

static sw_err *
do_push(char **argv)
{
        static const char *const words[] = { "sent", "existed", "mounted" };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_desc) d = { 0 };
        struct sw_push p = { .desc = &d,
                             .open = open_file,
                             .arg = argv[0],
                             .from = (const char *const *) argv + 1,
                             .chunked = o.chunked };
        enum sw_pushed done;

        sw_err *err = sw_buf_read_file(&b, AT_FDCWD, argv[0], SIZE_MAX);
        if (err)
                return err;
        d.digest = sw_digest_of(b.data, b.len);
        d.size = (int64_t) b.len;
        err = sw_registry_push_blob(o.r, &o.call, &p, &done);
        if (!err)
                (void) puts(words[done]);
        return err;
}

static sw_err *
do_manifest(char **argv)
{
        sw_auto(sw_desc) d = { .media_type = sw_strdup(argv[0]) };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_err *err = sw_buf_read_file(&b, AT_FDCWD, argv[1], SW_MANIFEST_MAX);
        if (err)
                return err;
        d.digest = sw_digest_of(b.data, b.len);
        d.size = (int64_t) b.len;
        return sw_registry_push_manifest(o.r, &o.call, argv[2] ? NULL : o.name.tag, &d,
                                         b.data, b.len);
}

static const struct {
        const char *name;
        int args; /* behind NAME, at least */
        sw_err *(*run)(char **argv);
} verbs[] = {
        { "resolve", 0, do_resolve },   { "document", 2, do_document },
        { "fetch", 2, do_fetch },       { "fetch-all", 1, do_fetch_all },
        { "tags", 0, do_tags },         { "referrers", 1, do_referrers },
        { "has", 1, do_has },           { "push", 1, do_push },
        { "manifest", 2, do_manifest },
};

/* ---- running one ---- */

static sw_err *
parse_options(int argc, char **argv)
{
        static const struct option options[] = {
                { "config", 1, NULL, 'c' },   { "user", 1, NULL, 'u' },
                { "secret", 1, NULL, 's' },   { "session", 0, NULL, 'S' },
                { "insecure", 0, NULL, 'i' }, { "push", 0, NULL, 'p' },
                { "stall", 1, NULL, 't' },    { "retry-ms", 1, NULL, 'r' },
                { "slow", 1, NULL, 'w' },     { "cancel-after", 1, NULL, 'x' },
                { "repeat", 1, NULL, 'n' },   { "pause", 1, NULL, 'P' },
                { "chunked", 0, NULL, 'k' },  { NULL, 0, NULL, 0 },
        };

        for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) >= 0;) {
                switch (c) {
                case 'c': o.config = optarg; break;
                case 'u': o.user = optarg; break;
                case 's': o.secret = optarg; break;
                case 'S': o.session = true; break;
                case 'i': o.insecure = true; break;
                case 'p': o.push = true; break;
                case 'k': o.chunked = true; break;
                case 't': o.stall = atoi(optarg); break;
                case 'r': o.retry_ms = atoi(optarg); break;
                case 'w': o.slow = atoi(optarg); break;
                case 'x': o.cancel_after = atoi(optarg); break;
                case 'n': o.repeat = atoi(optarg); break;
                case 'P': o.pause = atoi(optarg); break;
                default: return sw_err_new(SW_E_USAGE, "see the head of regtool.c");
                }
        }
        return SW_OK;
}

static sw_err *
run_verb(int argc, char **argv)
{
        sw_err *err;

        if (argc < 2)
                return sw_err_new(SW_E_USAGE, "regtool VERB NAME ...");
        for (size_t i = 0; i < SW_COUNT(verbs); i++) {
                if (strcmp(verbs[i].name, argv[0]) != 0 || argc - 2 < verbs[i].args)
                        continue;
                err = sw_image_name_parse(argv[1], &o.name);
                if (err)
                        return err;
                sw_image_name_default_tag(&o.name);
                for (int n = 0; n < o.repeat && !err; n++) {
                        if (n > 0 && o.pause)
                                (void) sw_cancel_wait(NULL, o.pause * SW_NS_PER_MS);
                        err = verbs[i].run(argv + 2);
                }
                return err;
        }
        return sw_err_new(SW_E_USAGE, "regtool %s: no such verb, or too few arguments",
                          argv[0]);
}

struct canceller {
        sw_cancel *token;
        int64_t at; /* when it was cancelled */
};

static void *
cancel_later(void *arg)
{
        struct canceller *c = arg;

        (void) sw_cancel_wait(NULL, o.cancel_after * SW_NS_PER_MS);
        c->at = sw_time_mono();
        sw_cancel_now(c->token, "enough");
        return NULL;
}

/* The verb with a client of its own; cancelled when that was asked for. */
static sw_err *
run_client(int argc, char **argv, sw_log *log, const sw_config *config)
{
        struct sw_registry_opts opts = { .config = config,
                                         .log = log,
                                         .stall_s = (unsigned) o.stall,
                                         .retry_ms = (unsigned) o.retry_ms };
        sw_autoptr(sw_cancel) token = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(token, log, NULL, NULL, NULL);
        sw_autoptr(sw_local_session) local = o.session ? sw_local_session_new() : NULL;
        sw_autoptr(sw_session) own = sw_session_new("regtool", &session_ops, NULL);
        struct canceller c = { token, 0 };
        pthread_t thread;

        sw_err *err = sw_registry_new(&opts, &o.r);
        if (err)
                return err;
        if (o.cancel_after && pthread_create(&thread, NULL, cancel_later, &c) != 0)
                abort();
        o.call = (struct sw_registry_call){
                .ctx = ctx,
                .session = local      ? sw_local_session_get(local)
                           : o.secret ? own
                                      : NULL,
                .name = &o.name,
                .insecure = o.insecure,
                .push = o.push,
        };
        err = run_verb(argc, argv);
        int64_t end = sw_time_mono();
        if (o.cancel_after) {
                pthread_join(thread, NULL);
                if (c.at && end - c.at > SW_CANCEL_GRACE_MS * SW_NS_PER_MS)
                        (void) fprintf(stderr, "cancelled too late\n");
        }
        sw_registry_free(o.r);
        return err;
}

int
main(int argc, char **argv)
{
        sw_autoptr(sw_log) log = sw_log_new(STDERR_FILENO, SW_LOG_WARN, SW_LOG_TEXT);
        sw_autoptr(sw_config) config = sw_config_new();

        sw_err *err = parse_options(argc, argv);
        if (!err && o.config)
                err = sw_config_load(config, o.config, true);
        if (!err)
                err = run_client(argc - optind, argv + optind, log, config);
        sw_image_name_release(&o.name);
        if (!err)
                return fflush(stdout) == 0 ? 0 : 1;
        (void) fprintf(stderr, "%s: %s\n", sw_err_code_name(sw_err_code(err)),
                       sw_err_message(err));
        sw_err_free(err);
        return 1;
}
