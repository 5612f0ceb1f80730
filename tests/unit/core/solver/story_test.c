/*
 * tests/unit/core/solver/story_test.c - stories: what subscribers get, early, late and
 * slow.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/time.h>

#include "core/solver/solver.h"
#include "core/solver/story_impl.h"
#include "tests/unit/unit.h"

#define VERTICES 5
#define IDS      3

/* What a reader knows in the end. */
struct view {
        sw_buf log[VERTICES][3]; /* by stream */
        struct sw_progress_status status[VERTICES][IDS];
        unsigned warnings[VERTICES];
        unsigned told[VERTICES], statuses;
        bool cached[VERTICES];
        int64_t started[VERTICES], completed[VERTICES];
        char error[VERTICES][32];
        char name[VERTICES][32];
        uint8_t why[VERTICES];
        size_t paths[VERTICES];
        int64_t last[VERTICES]; /* timestamp of the log so far */
};

static void
view_init(struct view *v)
{
        memset(v, 0, sizeof(*v));
        for (int i = 0; i < VERTICES; i++)
                for (int s = 0; s < 3; s++)
                        sw_buf_init(&v->log[i][s]);
}

static void
view_release(struct view *v)
{
        for (int i = 0; i < VERTICES; i++)
                for (int s = 0; s < 3; s++)
                        sw_buf_release(&v->log[i][s]);
}

static sw_digest
digest_of(int i)
{
        return sw_digest_of(&i, sizeof(i));
}

static int
index_of(const sw_digest *d)
{
        for (int i = 0; i < VERTICES; i++) {
                sw_digest x = digest_of(i);
                if (sw_digest_eq(&x, d))
                        return i;
        }
        ck_abort_msg("unknown vertex");
        return -1;
}

static void
take_vertex(struct view *v, const struct sw_progress_vertex *p)
{
        int i = index_of(&p->digest);

        v->told[i]++;
        v->cached[i] = p->cached;
        v->started[i] = p->started;
        v->completed[i] = p->completed;
        v->why[i] = (uint8_t) p->why;
        v->paths[i] = p->n_why_paths;
        snprintf(v->error[i], sizeof(v->error[i]), "%s", p->error ? p->error : "");
        snprintf(v->name[i], sizeof(v->name[i]), "%s", p->name);
        ck_assert_uint_eq(p->n_inputs, i > 0);
}

static void
take(struct view *v, struct sw_progress_batch *b)
{
        for (size_t i = 0; i < b->n_vertices; i++)
                take_vertex(v, &b->vertices[i]);
        for (size_t i = 0; i < b->n_statuses; i++) {
                const struct sw_progress_status *p = &b->statuses[i];
                v->status[index_of(&p->vertex)][p->id[0] - 'a'] = *p;
                v->statuses++;
        }
        for (size_t i = 0; i < b->n_logs; i++) {
                const struct sw_progress_log *p = &b->logs[i];
                int n = index_of(&p->vertex);

                sw_buf_add(&v->log[n][p->stream], p->data, p->len);
        }
        for (size_t i = 0; i < b->n_warnings; i++)
                v->warnings[index_of(&b->warnings[i].vertex)]++;
        sw_progress_batch_release(b);
}

static void
take_all(struct view *v, sw_subscription *sub)
{
        struct sw_progress_batch b;
        bool more = true;

        while (more) {
                more = sw_progress_next(sub, 0, &b);
                if (more && !b.n_vertices && !b.n_statuses && !b.n_logs && !b.n_warnings)
                        more = false;
                take(v, &b);
        }
}

struct tale {
        struct sw__story *story;
        struct sw__story_job *job;
        struct sw__story_vertex *v[VERTICES];
};

static void
tale_begin(struct tale *t, bool spool)
{
        sw_auto(sw_fd) dir = spool ? open("/tmp", O_DIRECTORY | O_CLOEXEC) : -1;

        t->story = sw__story_new(dir);
        t->job = sw__story_job_new(t->story);
        for (int i = 0; i < VERTICES; i++) {
                sw_digest d = digest_of(i), in = digest_of(i - 1);

                t->v[i] = sw__story_vertex_new(t->story, &d, &in, i > 0);
        }
}

static void
tale_join(struct tale *t, struct sw__story_job *j)
{
        struct sw_vertex_group group = { "g", "group", true };
        char name[32];

        for (int i = 0; i < VERTICES; i++) {
                snprintf(name, sizeof(name), "step %d", i);
                sw__story_join(j, t->v[i], name, i % 2 ? &group : NULL);
        }
}

static void
tale_end(struct tale *t)
{
        for (int i = 0; i < VERTICES; i++)
                sw__story_vertex_unref(t->v[i]);
        sw__story_free(t->story);
}

static void
status(struct sw__story_vertex *v, const char *id, int64_t current)
{
        struct sw_progress p = { .id = id, .current = current, .total = 100 };

        sw__story_sink.status(v, &p);
}

static void
output(struct sw__story_vertex *v, int stream, const char *s)
{
        sw__story_sink.output(v, stream, s, strlen(s));
}

/* Catches a change lost to a late or a slow reader, or told to nobody. */
START_TEST(whole_story_for_all)
{
        struct tale t;
        struct view early, late;

        tale_begin(&t, false);
        view_init(&early);
        view_init(&late);
        tale_join(&t, t.job);
        sw_subscription *a = sw__story_subscribe(t.job, false);
        sw__story_started(t.v[0], 10);
        take_all(&early, a);
        ck_assert_uint_eq(early.told[0], 1);
        ck_assert_uint_eq(early.told[4], 1);
        output(t.v[0], 1, "one ");
        sw__story_started(t.v[1], 20);
        output(t.v[0], 2, "err ");
        take_all(&early, a);
        /* An older change of vertex 0 must not hide behind a newer one of vertex 1. */
        output(t.v[0], 1, "two ");
        sw__story_why(t.v[0], SW_WHY_INPUT_KEY_NEW, 3);
        sw__story_ended(t.v[1], 30, true, NULL);
        const char *paths[] = { "a", "b" };
        sw__story_paths(t.v[0], paths, 2);
        output(t.v[0], 1, "three");
        sw__story_sink.warning(t.v[2], "careful");
        sw__story_sink.note(t.v[2], "c note");
        sw__story_ended(t.v[0], 40, false, "it broke");
        sw__story_job_end(t.job);
        take_all(&early, a);
        sw_subscription *b = sw__story_subscribe(a->job, false);
        take_all(&late, b);
        for (int i = 0; i < 2; i++) {
                struct view *v = i ? &late : &early;

                ck_assert_str_eq(v->log[0][1].data, "one two three");
                ck_assert_str_eq(v->log[0][2].data, "err ");
                ck_assert_str_eq(v->error[0], "it broke");
                ck_assert_int_eq(v->why[0], SW_WHY_INPUT_KEY_NEW);
                ck_assert_uint_eq(v->paths[0], 2);
                ck_assert(v->cached[1] && !v->cached[0]);
                ck_assert_int_eq(v->started[0], 10);
                ck_assert_int_eq(v->completed[0], 40);
                ck_assert_int_eq(v->completed[1], 30);
                ck_assert_uint_eq(v->warnings[2], 1);
                ck_assert_str_eq(v->name[3], "step 3");
        }
        struct sw_progress_batch over;
        ck_assert(!sw_progress_next(a, -1, &over));
        sw_progress_batch_release(&over);
        sw_subscription_free(a);
        sw_subscription_free(b);
        tale_end(&t);
        view_release(&early);
        view_release(&late);
}
END_TEST

/* Catches statuses piling up for a reader who does not come. */
START_TEST(statuses_are_coalesced)
{
        struct tale t;
        struct view v;

        tale_begin(&t, false);
        view_init(&v);
        tale_join(&t, t.job);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        for (int i = 0; i < 100000; i++)
                status(t.v[0], i % 2 ? "a" : "b", i);
        take_all(&v, sub);
        ck_assert_uint_eq(v.statuses, 2);
        ck_assert_int_eq(v.status[0][0].current, 99999);
        ck_assert_int_eq(v.status[0][1].current, 99998);
        sw_subscription_free(sub);
        sw__story_job_end(t.job);
        tale_end(&t);
        view_release(&v);
}
END_TEST

/* Catches log text kept in memory, lost, or mixed up on its way through the spool. */
START_TEST(long_logs_go_to_the_spool)
{
        struct tale t;
        struct view a, b;
        char line[4096];
        sw_auto(sw_buf) want = SW_BUF_INIT;
        struct stat st;

        tale_begin(&t, true);
        view_init(&a);
        view_init(&b);
        tale_join(&t, t.job);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        for (int i = 0; i < 3000; i++) {
                int n = snprintf(line, sizeof(line), "%d:", i);

                memset(line + n, 'a' + i % 26, (size_t) (i * 7 % 4000));
                line[n + i * 7 % 4000] = 0;
                strcat(line, i % 5 ? "\n" : "");
                sw_buf_adds(&want, line);
                output(t.v[i % 2], 1 + (i % 2), line);
                sw_buf_adds(&want, "");
                if (i % 100 == 0)
                        take_all(&a, sub); /* sees some chunks one by one */
        }
        take_all(&a, sub);
        sw_subscription *late = sw__story_subscribe(t.job, false);
        take_all(&b, late);
        ck_assert_uint_le(t.v[0]->text.cap, 2 * LOG_MEMORY);
        ck_assert_int_eq(fstat(t.story->spool, &st), 0);
        ck_assert_int_gt(st.st_size, 4000000);
        ck_assert_uint_eq(a.log[0][1].len + a.log[1][2].len, want.len);
        ck_assert_str_eq(a.log[0][1].data, b.log[0][1].data);
        ck_assert_str_eq(a.log[1][2].data, b.log[1][2].data);
        ck_assert_ptr_eq(strstr(a.log[0][1].data, "0:2:ccccc"), a.log[0][1].data);
        ck_assert_ptr_nonnull(strstr(a.log[0][1].data, "\n2998:"));
        /* Room is used again once the vertices are gone. */
        uint32_t segments = t.story->n_segments;
        ck_assert_uint_eq(t.story->free_segments.n, 0);
        sw_subscription_free(sub);
        sw_subscription_free(late);
        sw__story_job_end(t.job);
        struct sw__story *s = t.story;
        struct sw__story_job *keep = sw__story_job_new(s);
        tale_end(&t);
        ck_assert_uint_eq(s->free_segments.n, segments);
        sw__story_job_end(keep);
        view_release(&a);
        view_release(&b);
}
END_TEST

/* Catches a job that comes later not being told what its shared vertices did before. */
START_TEST(shared_vertices_tell_all)
{
        struct tale t;
        struct view v;

        tale_begin(&t, false);
        view_init(&v);
        tale_join(&t, t.job);
        sw__story_started(t.v[0], 5);
        output(t.v[0], 1, "before ");
        struct sw__story_job *second = sw__story_job_new(t.story);
        sw_subscription *sub = sw__story_subscribe(second, false);
        output(t.v[1], 1, "x");
        take_all(&v, sub);
        ck_assert_uint_eq(v.told[0], 0);
        tale_join(&t, second);
        output(t.v[0], 1, "after");
        take_all(&v, sub);
        ck_assert_str_eq(v.log[0][1].data, "before after");
        ck_assert_int_eq(v.started[0], 5);
        sw_subscription_free(sub);
        sw__story_job_end(second);
        sw__story_job_end(t.job);
        tale_end(&t);
        view_release(&v);
}
END_TEST

static bool
readable(int fd)
{
        struct pollfd p = { fd, POLLIN, 0 };

        return poll(&p, 1, 0) == 1;
}

/* Catches a descriptor that stays silent, or cries for ever. */
START_TEST(descriptor_follows)
{
        struct tale t;
        struct view v;
        int fd;

        tale_begin(&t, false);
        view_init(&v);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        ok(sw_progress_fd(sub, &fd));
        ck_assert(!readable(fd));
        tale_join(&t, t.job);
        ck_assert(readable(fd));
        take_all(&v, sub);
        ck_assert(!readable(fd));
        output(t.v[0], 1, "x");
        ck_assert(readable(fd));
        take_all(&v, sub);
        ck_assert(!readable(fd));
        sw__story_job_end(t.job);
        ck_assert(readable(fd)); /* the end, and it stays */
        take_all(&v, sub);
        ck_assert(readable(fd));
        sw_subscription_free(sub);
        tale_end(&t);
        view_release(&v);
}
END_TEST

/* ---- writers and readers at once ---- */

#define LINES 4000

struct race {
        struct tale t;
        struct view views[4];
};

static void *
write_log(void *arg)
{
        struct sw__story_vertex *v = arg;
        char line[128];

        for (int i = 0; i < LINES; i++) {
                snprintf(line, sizeof(line), "line %d of this vertex\n", i);
                output(v, 1, line);
                if (i % 8 == 0)
                        status(v, "a", i);
                if (i % 1000 == 0)
                        usleep(500);
        }
        sw__story_ended(v, 7, false, NULL);
        return NULL;
}

struct reader {
        struct view *v;
        sw_subscription *sub;
        unsigned pace;
};

static void *
read_story(void *arg)
{
        struct reader *r = arg;
        struct sw_progress_batch b;
        bool more = true;

        while (more) {
                more = sw_progress_next(r->sub, -1, &b);
                take(r->v, &b);
                if (r->pace)
                        usleep(r->pace);
        }
        return NULL;
}

/* Catches lost or doubled text when chunks are merged under readers of different speed. */
START_TEST(readers_of_any_speed)
{
        static struct race r;
        pthread_t writers[VERTICES], readers[4];
        struct reader rd[4];
        sw_auto(sw_buf) want = SW_BUF_INIT;

        tale_begin(&r.t, true);
        tale_join(&r.t, r.t.job);
        for (int i = 0; i < LINES; i++)
                sw_buf_addf(&want, "line %d of this vertex\n", i);
        for (int i = 0; i < 4; i++) {
                view_init(&r.views[i]);
                rd[i] = (struct reader){ &r.views[i], sw__story_subscribe(r.t.job, false),
                                         (unsigned) i * 700 };
                ck_assert_int_eq(pthread_create(&readers[i], NULL, read_story, &rd[i]), 0);
        }
        for (int i = 0; i < VERTICES; i++)
                ck_assert_int_eq(pthread_create(&writers[i], NULL, write_log, r.t.v[i]), 0);
        for (int i = 0; i < VERTICES; i++)
                pthread_join(writers[i], NULL);
        sw__story_job_end(r.t.job);
        for (int i = 0; i < 4; i++) {
                pthread_join(readers[i], NULL);
                for (int k = 0; k < VERTICES; k++) {
                        ck_assert_uint_eq(r.views[i].log[k][1].len, want.len);
                        ck_assert_str_eq(r.views[i].log[k][1].data, want.data);
                        ck_assert_int_eq(r.views[i].status[k][0].current, LINES - 8);
                        ck_assert_int_eq(r.views[i].completed[k], 7);
                }
                sw_subscription_free(rd[i].sub);
                view_release(&r.views[i]);
        }
        tale_end(&r.t);
}
END_TEST

/* Catches memory that grows with the number of lines instead of what readers need. */
START_TEST(chunks_are_merged)
{
        struct tale t;
        struct view v;

        tale_begin(&t, true);
        view_init(&v);
        tale_join(&t, t.job);
        for (int i = 0; i < 100000; i++)
                output(t.v[0], 1, "a line that nobody reads\n");
        ck_assert_uint_lt(t.v[0]->chunks.n, 200);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        for (int i = 0; i < 30000; i++) { /* one who reads each line */
                output(t.v[1], 1, "a line\n");
                take_all(&v, sub);
        }
        ck_assert_uint_lt(t.v[1]->chunks.n, 9000);
        ck_assert_uint_eq(v.log[1][1].len, 30000 * 7);
        sw_subscription_free(sub);
        sw__story_job_end(t.job);
        tale_end(&t);
        view_release(&v);
}
END_TEST

static void
flood(struct sw__story_vertex *v, size_t n)
{
        char *block = sw_alloc(n + 1);

        memset(block, 'x', n);
        sw__story_sink.output(v, 1, block, n);
        free(block);
}

/* Catches a flood of log sent whole, cut without a word, or lost to who wants all of it. */
START_TEST(logs_are_limited)
{
        for (int spool = 0; spool < 2; spool++) {
                struct tale t;
                struct view live, whole;

                tale_begin(&t, spool);
                sw__story_limit_logs(t.story, 300000, -1);
                view_init(&live);
                view_init(&whole);
                tale_join(&t, t.job);
                sw_subscription *a = sw__story_subscribe(t.job, false);
                sw_subscription *b = sw__story_subscribe(t.job, true);
                for (int i = 0; i < 10; i++) {
                        flood(t.v[0], 70000);
                        take_all(&live, a);
                }
                take_all(&whole, b);
                ck_assert_uint_eq(live.log[0][1].len, 300000);
                ck_assert_ptr_nonnull(strstr(live.log[0][2].data, "292 KiB of log"));
                ck_assert_ptr_nonnull(
                        strstr(live.log[0][2].data, spool ? "log file" : "dropped"));
                ck_assert_uint_eq(whole.log[0][1].len, spool ? 700000 : 300000);
                ck_assert_uint_eq(whole.log[0][2].len, 0);
                ck_assert_uint_lt(t.v[0]->text.len, spool ? 66000 : 301000);
                /* A step that runs again has its limit anew. */
                sw__story_started(t.v[0], 1);
                flood(t.v[0], 1000);
                take_all(&live, a);
                ck_assert_uint_eq(live.log[0][1].len, 301000);
                sw_subscription_free(a);
                sw_subscription_free(b);
                sw__story_job_end(t.job);
                tale_end(&t);
                view_release(&live);
                view_release(&whole);
        }
}
END_TEST

/* Catches a speed limit that is none, or that never lets go. */
START_TEST(logs_are_slowed_down)
{
        struct tale t;
        struct view live;

        tale_begin(&t, true);
        sw__story_limit_logs(t.story, -1, 100000);
        view_init(&live);
        tale_join(&t, t.job);
        sw_subscription *a = sw__story_subscribe(t.job, false);
        flood(t.v[0], 99999);
        int64_t since = t.v[0]->log_since;
        flood(t.v[0], 500000);
        take_all(&live, a);
        if (sw_time_now() - since < SW_NS_PER_SEC) /* not on a machine that stood still */
                ck_assert_uint_eq(live.log[0][1].len, 100000);
        t.v[0]->log_since -= 10 * SW_NS_PER_SEC; /* time passes */
        flood(t.v[0], 500000);
        take_all(&live, a);
        ck_assert_uint_eq(live.log[0][1].len, 600000);
        ck_assert_ptr_nonnull(strstr(live.log[0][2].data, "97 KiB/s"));
        sw_subscription_free(a);
        sw__story_job_end(t.job);
        tale_end(&t);
        view_release(&live);
}
END_TEST

/* Catches subscribers woken for what is not for them. */
START_TEST(clipped_logs_wake_nobody)
{
        struct tale t;
        struct view live;
        int fd;

        tale_begin(&t, true);
        sw__story_limit_logs(t.story, 10, -1);
        view_init(&live);
        tale_join(&t, t.job);
        sw_subscription *a = sw__story_subscribe(t.job, false);
        ok(sw_progress_fd(a, &fd));
        flood(t.v[0], 100);
        take_all(&live, a);
        flood(t.v[0], 100000);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ck_assert_int_eq(poll(&p, 1, 0), 0);
        sw__story_ended(t.v[0], 1, false, NULL);
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        sw_subscription_free(a);
        sw__story_job_end(t.job);
        tale_end(&t);
        view_release(&live);
}
END_TEST

/* Catches texts without end, from a registry or a client, kept and sent on, and a character
 * cut in two, which clients refuse. */
START_TEST(texts_are_cut)
{
        struct tale t;
        struct sw_progress_batch b;
        const size_t n = 10001;
        sw_auto(sw_str) text = sw_alloc(n + 1);
        const char *paths[1000];

        for (size_t i = 0; i < n; i++)
                text[i] = i == 0 ? 'a' : i % 2 ? '\xc3' : '\xa4';
        for (size_t i = 0; i < 1000; i++)
                paths[i] = text;
        tale_begin(&t, false);
        tale_join(&t, t.job);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        status(t.v[0], text, 1);
        status(t.v[0], text, 2); /* the same one */
        sw__story_sink.warning(t.v[0], text);
        sw__story_paths(t.v[0], paths, 1000);
        ck_assert(sw_progress_next(sub, 0, &b));
        ck_assert_uint_eq(b.n_statuses, 1);
        ck_assert_uint_eq(b.n_warnings, 1);
        ck_assert_uint_eq(strlen(b.statuses[0].id), 4095);
        ck_assert_uint_eq(strlen(b.warnings[0].text), 4095);
        for (size_t i = 0; i < b.n_vertices; i++)
                if (b.vertices[i].n_why_paths)
                        ck_assert_uint_eq(b.vertices[i].n_why_paths, 256);
        sw_progress_batch_release(&b);
        sw_subscription_free(sub);
        sw__story_job_end(t.job);
        tale_end(&t);
}
END_TEST

/* A warning of one job about a vertex that another job holds, too. Catches: one told to the
 * other job, or as a step; a text kept once for each warning about it; bytes without end.
 */
START_TEST(warnings_of_one_job)
{
        static const char text[] = "one\0two";
        static const char *const detail[] = { "more", NULL };
        struct tale t;
        struct sw_progress_batch b;
        const struct sw_err_source place = {
                .file = "f", .data = text, .len = 7, .first_line = 1, .last_line = 1
        };
        const struct sw_err_source huge = { .file = "f", .data = text, .len = SIZE_MAX };
        struct sw_progress_warning w = { .vertex = digest_of(1),
                                         .text = "careful",
                                         .detail = detail,
                                         .url = "u",
                                         .level = 2 };

        tale_begin(&t, false);
        tale_join(&t, t.job);
        struct sw__story_job *other = sw__story_job_new(t.story);
        tale_join(&t, other);
        struct sw__story_vertex *mine = sw__story_warnings(t.job);
        w.source = &place;
        sw__story_warn(mine, &w);
        sw__story_warn(mine, &w);
        w.source = &huge;
        sw__story_warn(mine, &w);
        sw_subscription *sub = sw__story_subscribe(t.job, false);
        ck_assert(sw_progress_next(sub, 0, &b));
        ck_assert_uint_eq(b.n_vertices, VERTICES);
        ck_assert_uint_eq(b.n_warnings, 3);
        for (size_t i = 0; i < 3; i++) {
                ck_assert_int_eq(index_of(&b.warnings[i].vertex), 1);
                ck_assert_str_eq(b.warnings[i].detail[0], "more");
                ck_assert_ptr_null(b.warnings[i].detail[1]);
                ck_assert_int_eq(b.warnings[i].level, 2);
        }
        ck_assert_mem_eq(b.warnings[1].source->data, text, 7);
        ck_assert_ptr_eq(b.warnings[0].source->data, b.warnings[1].source->data);
        ck_assert_ptr_null(b.warnings[2].source->data);
        ck_assert_uint_eq(b.warnings[2].source->len, 0);
        sw_subscription_free(sub);
        sw__story_vertex_unref(mine);
        sub = sw__story_subscribe(other, false);
        sw__story_job_end(t.job);
        sw_progress_batch_release(&b); /* what it borrows lived until now */
        ck_assert(sw_progress_next(sub, 0, &b));
        ck_assert_uint_eq(b.n_vertices, VERTICES);
        ck_assert_uint_eq(b.n_warnings, 0);
        sw_progress_batch_release(&b);
        sw_subscription_free(sub);
        sw__story_job_end(other);
        tale_end(&t);
}
END_TEST

UNIT_MAIN("story", whole_story_for_all, statuses_are_coalesced, long_logs_go_to_the_spool,
          shared_vertices_tell_all, descriptor_follows, readers_of_any_speed,
          chunks_are_merged, logs_are_limited, logs_are_slowed_down,
          clipped_logs_wake_nobody, texts_are_cut, warnings_of_one_job)
