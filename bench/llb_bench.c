/*
 * bench/llb_bench.c - decode, check and digest definitions of 1,000 to 100,000 vertices.
 *
 * Half of the vertices are commands in a chain, the other half file ops that copy from two
 * earlier vertices; every vertex has metadata with capabilities and a name.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <slipway/definition.h>

#include "core/llb/marshal.h"
#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"

enum { ROUNDS = 7 };

struct made {
        Pb__Definition def;
        SW_ARRAY(char *) digests;
};

static void
add_op(struct made *m, const Pb__Op *op, const char *name, const char *cap)
{
        Slipway__Map__String desc = SLIPWAY__MAP__STRING__INIT, *descs = &desc;
        Slipway__Map__Bool bit = SLIPWAY__MAP__BOOL__INIT, *bits = &bit;
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        Pb__OpMetadataEntry *e = sw_new(Pb__OpMetadataEntry);
        char digest[SW_DIGEST_STR_SIZE];
        sw_buf b = SW_BUF_INIT, mdb = SW_BUF_INIT;
        sw_digest d;
        size_t n = m->def.n_def;

        sw__llb_pack_op(op, &b);
        d = sw_digest_of(b.data, b.len);
        sw_digest_str(&d, digest);
        sw_array_push(&m->digests, sw_strdup(digest));
        m->def.def[n].len = b.len;
        m->def.def[n].data = (uint8_t *) sw_buf_detach(&b);
        m->def.n_def++;
        desc.key = (char *) "llb.customname";
        desc.value = (char *) name;
        bit.key = (char *) cap;
        bit.value = bit.has_value = 1;
        md.n_description = md.n_caps = 1;
        md.description = &descs;
        md.caps = &bits;
        sw__pb_pack(&md.base, &mdb);
        pb__op_metadata_entry__init(e);
        e->key = m->digests.v[n];
        e->value = pb__op_metadata__unpack(NULL, mdb.len, (uint8_t *) mdb.data);
        m->def.metadata[m->def.n_metadata++] = e;
        sw_buf_release(&mdb);
}

static void
add_source(struct made *m)
{
        Pb__SourceOp source = PB__SOURCE_OP__INIT;
        Pb__Op op = PB__OP__INIT;

        source.identifier = (char *) "docker-image://docker.io/library/busybox:latest";
        op.op_case = PB__OP__OP_SOURCE;
        op.source = &source;
        add_op(m, &op, "base", "source.image");
}

static void
add_exec(struct made *m, size_t i)
{
        Pb__Platform platform = PB__PLATFORM__INIT;
        Pb__WorkerConstraints constraints = PB__WORKER_CONSTRAINTS__INIT;
        Pb__Input in = PB__INPUT__INIT, *ins = &in;
        Pb__Mount root = PB__MOUNT__INIT, *mounts = &root;
        Pb__Meta meta = PB__META__INIT;
        Pb__ExecOp exec = PB__EXEC_OP__INIT;
        Pb__Op op = PB__OP__INIT;
        char step[64];
        char *args[] = { (char *) "/bin/sh", (char *) "-c", step };
        char *env[] = { (char *) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin" };

        snprintf(step, sizeof(step), "make step-%zu", i);
        platform.os = (char *) "linux";
        platform.architecture = (char *) "amd64";
        in.digest = m->digests.v[m->def.n_def - 1];
        root.dest = (char *) "/";
        meta.args = args;
        meta.n_args = 3;
        meta.env = env;
        meta.n_env = 1;
        meta.cwd = (char *) "/";
        exec.meta = &meta;
        exec.mounts = &mounts;
        exec.n_mounts = 1;
        op.inputs = &ins;
        op.n_inputs = 1;
        op.platform = &platform;
        op.constraints = &constraints;
        op.op_case = PB__OP__OP_EXEC;
        op.exec = &exec;
        add_op(m, &op, step, "exec.meta.base");
}

static void
add_copy(struct made *m, size_t i)
{
        Pb__Input in[2] = { PB__INPUT__INIT, PB__INPUT__INIT }, *ins[] = { &in[0], &in[1] };
        Pb__FileActionCopy copy = PB__FILE_ACTION_COPY__INIT;
        Pb__FileAction action = PB__FILE_ACTION__INIT, *actions = &action;
        Pb__FileOp file = PB__FILE_OP__INIT;
        Pb__Op op = PB__OP__INIT;
        char dest[32];

        snprintf(dest, sizeof(dest), "/out/%zu", i);
        in[0].digest = m->digests.v[m->def.n_def - 1];
        in[1].digest = m->digests.v[(i * 2654435761u) % m->def.n_def];
        copy.src = (char *) "/a/*";
        copy.dest = dest;
        copy.mode = -1;
        copy.timestamp = -1;
        action.secondaryinput = 1;
        action.action_case = PB__FILE_ACTION__ACTION_COPY;
        action.copy = &copy;
        file.actions = &actions;
        file.n_actions = 1;
        op.inputs = ins;
        op.n_inputs = 2;
        op.op_case = PB__OP__OP_FILE;
        op.file = &file;
        add_op(m, &op, dest, "file.base");
}

static void
make(size_t n, sw_buf *out)
{
        struct made m = { .def = PB__DEFINITION__INIT };
        Pb__Input in = PB__INPUT__INIT, *ins = &in;
        Pb__Op last = PB__OP__INIT;

        m.def.def = (ProtobufCBinaryData *) sw_alloc_array(n + 1, sizeof(*m.def.def));
        m.def.metadata =
                (Pb__OpMetadataEntry **) sw_alloc_array(n + 1, sizeof(*m.def.metadata));
        add_source(&m);
        for (size_t i = 1; i < n; i++)
                (i % 2 ? add_exec : add_copy)(&m, i);
        in.digest = m.digests.v[n - 1];
        last.inputs = &ins;
        last.n_inputs = 1;
        add_op(&m, &last, "", "constraints");
        sw__pb_pack(&m.def.base, out);
        for (size_t i = 0; i <= n; i++) {
                free(m.def.def[i].data);
                pb__op_metadata__free_unpacked(m.def.metadata[i]->value, NULL);
                free(m.def.metadata[i]);
                free(m.digests.v[i]);
        }
        free(m.def.def);
        free(m.def.metadata);
        sw_array_release(&m.digests);
}

/* Processor time, which other work on the machine does not count in. */
static double
cpu_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* The fastest of a few rounds, in ms. */
static double
measure(const sw_buf *b, size_t n)
{
        double best = 1e9;

        for (int r = 0; r < ROUNDS; r++) {
                double start = cpu_ms();
                sw_definition *def = NULL;
                sw_err *err = sw_definition_decode(b->data, b->len, NULL, &def);
                double ms = cpu_ms() - start;

                if (err || sw_definition_count(def) != n) {
                        fprintf(stderr, "llb_bench: %s\n", sw_err_message(err));
                        exit(1);
                }
                sw_definition_free(def);
                best = ms < best ? ms : best;
        }
        return best;
}

int
main(void)
{
        static const size_t sizes[] = { 1000, 10000, 50000 };
        double ms[SW_COUNT(sizes)];
        struct rusage u;

        for (size_t i = 0; i < SW_COUNT(sizes); i++) {
                sw_buf b = SW_BUF_INIT;

                make(sizes[i], &b);
                ms[i] = measure(&b, sizes[i]);
                printf("decode+validate+digest %zu vertices (%zu KiB) | %.2f ms of CPU | "
                       "%s |\n",
                       sizes[i], b.len >> 10, ms[i], sizes[i] == 10000 ? "40 ms" : "-");
                sw_buf_release(&b);
        }
        getrusage(RUSAGE_SELF, &u);
        printf("growth exponent, 1,000 to 50,000 | %.2f | 1 |\n",
               log(ms[2] / ms[0]) / log((double) sizes[2] / (double) sizes[0]));
        printf("peak memory with the definition of 50,000 | %ld MiB | - |\n",
               u.ru_maxrss >> 10);
        return 0;
}
