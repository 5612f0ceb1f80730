/*
 * tests/contract/contract.h - the contract tool: checks that a plugin keeps the rules of
 * its kind, as the headers state them. Installed as slipway-contract, so that authors of
 * plugins outside this tree can run it on theirs.
 *
 * Output is TAP: one line per rule, with what was seen when it is broken.
 * Thread: main; suites may start their own and join them.
 */
#ifndef SLIPWAY_TESTS_CONTRACT_H
#define SLIPWAY_TESTS_CONTRACT_H

#include <slipway/exporter.h>
#include <slipway/digest.h>
#include <slipway/host.h>

/* One run over one plugin. */
struct contract {
        sw_host *host;                     /* the plugin is READY in it */
        const struct sw_plugin_info *info; /* the plugin */
        const struct sw_attr *attrs;       /* --attr, for kinds that take attributes */
        size_t n_attrs;
        bool quick;          /* leave out what takes long, such as many random trees */
        const char *workdir; /* an empty directory; removed afterwards */
        unsigned n, failed;  /* TAP numbers so far */
};

/* Print one result. @fmt says what was seen, for a broken rule; may be NULL. */
void contract_check(struct contract *c, bool ok, const char *rule, const char *fmt, ...)
        SW_PRINTF(4, 5);

/* Check that @err is SW_OK (given). */
void contract_ok(struct contract *c, sw_err *err, const char *rule);

/* Check that @err (given) is an error a caller can use: a known code, a message of one
 * line without a full stop at its end, and one of @codes (0 ends them; NULL: any). */
void contract_refused(struct contract *c, sw_err *err, const int *codes, const char *rule);

/* Open descriptors of this process. */
unsigned contract_count_fds(void);

/* Rules of every kind. */
void contract_descriptor(struct contract *c);
/* Rules of executors. */
void contract_executor(struct contract *c);
/* Rules of exporters. */
void contract_exporter(struct contract *c);
/* Rules of frontends. */
void contract_frontend(struct contract *c);
/* Rules of snapshotters. */
void contract_snapshotter(struct contract *c);

/* ---- fixtures (fixture.c) --------------------------------------------------------------
 */

/* A tree with everything an exporter meets: directories, empty and larger files, names
 * that need care, symlinks (dangling and absolute too), hard links, set-id bits. */
struct fixture_tree;
struct fixture_tree *fixture_tree_new(struct contract *c, const char *name);
void fixture_tree_free(struct fixture_tree *t);
/* A digest over names, metadata and contents: equal before and after means untouched. */
sw_digest fixture_tree_state(const struct fixture_tree *t);

/* How a ref over the tree behaves when it is opened. */
enum fixture_fault {
        FIXTURE_NONE,
        FIXTURE_OPEN_FAILS,   /* SW_E_IO */
        FIXTURE_OPEN_CANCELS, /* cancels the token given to fixture_ref_new, then opens */
};
struct fixture_counts {
        unsigned opened, closed, released; /* atomics */
};
/* @counts: borrowed until every reference is gone. */
sw_ref *fixture_ref_new(const struct fixture_tree *t, enum fixture_fault fault,
                        sw_cancel *cancel, struct fixture_counts *counts);

/* A client that takes one file or one directory below the work directory. */
struct fixture_target {
        struct sw_export_target target;
        char *path; /* of the directory it keeps things in */
        bool full;  /* open_file gives a descriptor on which no write succeeds */
        unsigned opened_file, opened_dir, committed;
};
void fixture_target_init(struct fixture_target *t, struct contract *c, const char *name);
void fixture_target_release(struct fixture_target *t);
/* Digest of the file that was written; of nothing when there is none. */
sw_digest fixture_target_digest(const struct fixture_target *t);

#endif
