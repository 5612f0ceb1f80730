/*
 * tests/model/claims.pml - claims and cancellation, for spin; see claims.sh.
 *
 * A model of core/solver/run.c and ready.c: three vertices over two keys, two jobs that
 * share one of them, ops that succeed, fail, or are stopped and may succeed all the same,
 * ops that give up because the job they worked for left, and begin anew for another, jobs that are cancelled at any time and come back once, records that turn out gone when
 * they are loaded, a bound on running ops, and a limit that some vertices need.
 *
 * What the code does in one step is atomic here. What it does in some order that depends on
 * queues is done here in every order: events of edges come at any time after what caused
 * them, any vertex that stands in a queue may be next, any that waits at the limit may be
 * served.
 *
 * Left out: how edges find their keys (tests/model/solver_model.c has that), and the bound
 * per job, which is like the one for all.
 *
 * Checked: a vertex that is blocked is blocked by somebody; no two ops with a common key run
 * at once; no op runs whose result is stored; nothing waits for ever; in the end every job
 * is over, no place or unit is held, and who was not cancelled has its results or an error.
 *
 * The shape comes from the environment, so that one program explores all of them: KEYS0 to
 * KEYS2 (sets of keys A=1, B=2), IGNORES (set of vertices that ignore the cache),
 * NEEDS_FIRST (vertex 2 has vertex 0 as its input), LIMITED (set of vertices that need the
 * limit), PLACES. With BROKEN from 1 on the model has a mistake, and spin must say so.
 */

#define NO_HANDOFF          1 /* who fails or is stopped passes the claim to nobody */
#define NO_CLAIM            2 /* nobody looks whether the claim is held */
#define STOPPED_IS_FREE     3 /* an op that is being stopped holds no claim */
#define NO_SHARING          4 /* results are not handed to who waits */
#define NO_SECOND_LOOK      5 /* no look for a record right before the op runs */
#define FORGETS_THE_STOPPED 6 /* stopped and wanted again, it stands in no queue */
#define KEEPS_UNITS         7 /* who is blocked keeps its unit of the limit */
#define FORGETS_WHO_GAVE_UP 8 /* an op that gave up stands in no queue */

#define N 3
#define J 2

#define NONE     0
#define READY    1
#define BLOCKED  2
#define GOING    3
#define STOPPING 4
#define LOADING  5 /* of an edge: a record was found */
#define DONE     6
#define FAILED   7

/* shape */
byte keys[N];
byte ignore_set;
byte limit_set;
byte places;
bool needs_first;
byte broken;

byte st[N];
byte stored;    /* set of keys that lead to a record */
byte wants[J];  /* set of vertices that a job wants; 0: not active */
byte queued[J]; /* set of vertices in its queue */
byte used;      /* places */
byte at_limit;  /* set of vertices that wait there */
byte holds;     /* set of vertices that hold the unit of the limit, 0 or 1 of them */
byte busy;      /* keys whose op runs: not in the code, for the check alone */
byte over;      /* jobs that are over for good */
byte left;      /* set of vertices that a job left while their op ran */

#define has(set, v) ((set) & (1 << (v)))
#define wanted(v)   has(wants[0] | wants[1], v)
#define ignores(v)  has(ignore_set, v)
#define limited(v)  has(limit_set, v)
#define runs(v)     (st[v] == GOING || (st[v] == STOPPING && broken != STOPPED_IS_FREE))
#define common(a, b) ((a) != (b) && (keys[a] & keys[b]))
#define holder_is(o, v) (runs(o) && common(o, v))
#define held(v) (holder_is(0, v) || holder_is(1, v) || holder_is(2, v))
#define claimed(v)   (held(v) && broken != NO_CLAIM)
#define turned_up(v) (found(v) && broken != NO_SECOND_LOOK)
#define found(v)     ((stored & keys[v]) && !ignores(v))

#define input_done(v)   (!needs_first || (v) != 2 || st[0] == DONE)
#define input_failed(v) (needs_first && (v) == 2 && st[0] == FAILED)

/* Invariant of every state between two steps. */
#define sound(v) (st[v] != BLOCKED || held(v))

inline check() {
        assert(sound(0) && sound(1) && sound(2));
        assert(used <= places)
}

/* Into the queues of all jobs that want it. */
inline push(v) {
        if
        :: has(wants[0], v) -> queued[0] = queued[0] | (1 << (v))
        :: else
        fi;
        if
        :: has(wants[1], v) -> queued[1] = queued[1] | (1 << (v))
        :: else
        fi
}

inline limit_wake() {
        if
        :: holds == 0 && has(at_limit, 0) -> holds = 1; at_limit = at_limit & 6; push(0)
        :: holds == 0 && has(at_limit, 1) -> holds = 2; at_limit = at_limit & 5; push(1)
        :: holds == 0 && has(at_limit, 2) -> holds = 4; at_limit = at_limit & 3; push(2)
        :: holds || !at_limit
        fi
}

inline leave_limit(v) {
        at_limit = at_limit & (7 - (1 << (v)));
        if
        :: broken != KEEPS_UNITS -> holds = holds & (7 - (1 << (v)))
        :: else
        fi;
        limit_wake()
}

inline need(v) {
        st[v] = READY;
        push(v)
}

inline over_act(v) {
        used--;
        busy = busy & (3 - keys[v]);
        left = left & (7 - (1 << (v)));
        holds = holds & (7 - (1 << (v)));
        limit_wake()
}

inline free_one(o, v) {
        if
        :: common(o, v) && st[o] == BLOCKED -> st[o] = READY; push(o)
        :: else
        fi
}

inline free_others(v) {
        if
        :: broken != NO_HANDOFF -> free_one(0, v); free_one(1, v); free_one(2, v)
        :: else
        fi
}

inline share_one(o, v) {
        if
        :: common(o, v) && (st[o] == READY || st[o] == BLOCKED) &&
           (!ignores(o) || ignores(v)) ->
                leave_limit(o);
                st[o] = DONE;
                stored = stored | keys[o]
        :: common(o, v) && st[o] == BLOCKED && ignores(o) && !ignores(v) ->
                st[o] = READY;
                push(o)
        :: else
        fi
}

inline ran_ok(v) {
        over_act(v);
        st[v] = DONE;
        stored = stored | keys[v];
        if
        :: broken != NO_SHARING -> share_one(0, v); share_one(1, v); share_one(2, v)
        :: else
        fi
}

inline ran_err(v) {
        over_act(v);
        st[v] = FAILED;
        free_others(v)
}

inline stopped_err(v) {
        over_act(v);
        if
        :: wanted(v) && broken != FORGETS_THE_STOPPED -> st[v] = READY; push(v)
        :: wanted(v) && broken == FORGETS_THE_STOPPED -> st[v] = READY
        :: else -> st[v] = NONE
        fi;
        free_others(v)
}

/* The op gave up: the job it worked for has left. */
inline again_step(v) {
        over_act(v);
        st[v] = READY;
        if
        :: broken != FORGETS_WHO_GAVE_UP -> push(v)
        :: else
        fi;
        free_others(v)
}

/* The turn of vertex @v in the queue of job @j. */
inline try_start(j, v) {
        queued[j] = queued[j] & (7 - (1 << (v)));
        if
        :: st[v] != READY
        :: st[v] == READY && claimed(v) -> leave_limit(v); st[v] = BLOCKED
        :: st[v] == READY && !claimed(v) ->
                if
                :: limited(v) && !has(holds, v) && (holds || at_limit) ->
                        at_limit = at_limit | (1 << (v))
                :: else ->
                        if
                        :: limited(v) -> holds = 1 << (v)
                        :: else
                        fi;
                        if
                        :: turned_up(v) -> leave_limit(v); st[v] = LOADING
                        :: !turned_up(v) ->
                                assert((busy & keys[v]) == 0); /* once at a time */
                                assert(!found(v));             /* not again */
                                st[v] = GOING;
                                used++;
                                busy = busy | keys[v]
                        fi
                fi
        fi
}

/* The scheduler: whoever is next. */
active proctype turns() {
end:    do
        :: atomic { has(queued[0], 0) && used < places -> try_start(0, 0); check() }
        :: atomic { has(queued[0], 1) && used < places -> try_start(0, 1); check() }
        :: atomic { has(queued[0], 2) && used < places -> try_start(0, 2); check() }
        :: atomic { has(queued[1], 0) && used < places -> try_start(1, 0); check() }
        :: atomic { has(queued[1], 1) && used < places -> try_start(1, 1); check() }
        :: atomic { has(queued[1], 2) && used < places -> try_start(1, 2); check() }
        od
}

/* One vertex: what its edge asks of it, and its op. */
proctype vertex(byte v) {
end:    do
        /* wanted, and all inputs are there: by a record if there is one, else it runs */
        :: atomic { st[v] == NONE && wanted(v) && input_failed(v) -> st[v] = FAILED }
        :: atomic { st[v] == NONE && wanted(v) && input_done(v) && found(v) ->
                st[v] = LOADING }
        :: atomic { st[v] == NONE && wanted(v) && input_done(v) && !found(v) ->
                need(v); check() }
        /* not wanted any more */
        :: atomic { (st[v] == READY || st[v] == BLOCKED) && !wanted(v) ->
                leave_limit(v); st[v] = NONE; check() }
        :: atomic { st[v] == GOING && !wanted(v) -> st[v] = STOPPING; check() }
        /* the op */
        :: atomic { st[v] == GOING -> ran_ok(v); check() }
        :: atomic { st[v] == GOING -> ran_err(v); check() }
        :: atomic { st[v] == GOING && has(left, v) -> again_step(v); check() }
        :: atomic { st[v] == STOPPING -> ran_ok(v); check() }
        :: atomic { st[v] == STOPPING -> stopped_err(v); check() }
        /* the load; a record that is gone is dropped */
        :: atomic { st[v] == LOADING -> st[v] = DONE }
        :: atomic { st[v] == LOADING -> stored = stored & (3 - keys[v]); st[v] = NONE }
        od
}

/* Vertices that no job holds are freed; who wants them again gets new ones. */
inline renew(v) {
        if
        :: (st[v] == DONE || st[v] == FAILED) && !wanted(v) -> st[v] = NONE
        :: else
        fi
}

/* A READY vertex that others have named before stands in the new job's queue, too. */
inline join(j, v) {
        if
        :: has(wants[j], v) && st[v] == READY -> queued[j] = queued[j] | (1 << (v))
        :: else
        fi
}

inline leave_one(j, v) {
        if
        :: has(wants[j], v) && st[v] == GOING -> left = left | (1 << (v))
        :: else
        fi
}

inline leave(j) {
        leave_one(j, 0); leave_one(j, 1); leave_one(j, 2);
        wants[j] = 0;
        queued[j] = 0
}

#define final_in(set, v) (!has(set, v) || st[v] == DONE || st[v] == FAILED)
#define failed_in(set, v) (has(set, v) && st[v] == FAILED)

proctype job(byte j; byte mine) {
        byte rounds = 2;
        bool patient; /* never cancelled: what waits for ever shows */
again:  atomic {
                renew(0); renew(1); renew(2);
                wants[j] = mine;
                join(j, 0); join(j, 1); join(j, 2);
                rounds--;
                if
                :: patient = true
                :: patient = false
                fi
        }
        if
        :: atomic { /* over: all there, or one failed, which does not wait for the others */
                (final_in(mine, 0) && final_in(mine, 1) && final_in(mine, 2)) ||
                failed_in(mine, 0) || failed_in(mine, 1) || failed_in(mine, 2) ->
                leave(j) }
        :: atomic { !patient -> leave(j) } /* cancelled, at any time */
                if
                :: rounds > 0 -> goto again
                :: true
                fi
        fi;
        over++
}

/* When nothing can happen any more. */
active proctype at_rest() {
        timeout ->
        assert(over == J);
        assert(used == 0 && busy == 0 && holds == 0 && at_limit == 0);
        byte v = 0;
        do
        :: v < N ->
                assert(st[v] == NONE || st[v] == DONE || st[v] == FAILED);
                v++
        :: else -> break
        od
}

c_code {
        static int shape(const char *name, int normal)
        {
                const char *s = getenv(name);

                return s ? atoi(s) : normal;
        }
}

init {
        atomic {
                c_code {
                        now.keys[0] = shape("KEYS0", 1);
                        now.keys[1] = shape("KEYS1", 3);
                        now.keys[2] = shape("KEYS2", 2);
                        now.ignore_set = shape("IGNORES", 0);
                        now.limit_set = shape("LIMITED", 0);
                        now.places = shape("PLACES", 2);
                        now.needs_first = shape("NEEDS_FIRST", 0);
                        now.broken = shape("BROKEN", 0);
                };
                run vertex(0);
                run vertex(1);
                run vertex(2);
                if
                :: needs_first -> run job(0, 5)
                :: else -> run job(0, 3)
                fi;
                run job(1, 7)
        }
}
