/*
 * slipway/llb.h - the state builder: makes definitions, the graphs that slipway builds.
 *
 * A *state* is a tree of files still to be made (an output of a vertex, or nothing:
 * scratch) and the values that later commands on it start with: environment, directory,
 * user and so on. States are immutable. Every function makes a new one over an old one, so
 * that a state may be the base of any number of others:
 *
 *      sw_autoptr(sw_state) base = NULL;
 *      sw_autoptr(sw_state) work = NULL;
 *      sw_autoptr(sw_state) built = NULL;
 *      sw_autoptr(sw_run) run = NULL;
 *      sw_auto(sw_buf) def = SW_BUF_INIT;
 *
 *      err = sw_llb_image("alpine", NULL, NULL, &base);
 *      ...
 *      work = sw_state_dir(base, "/src");
 *      run = sw_run_new(work);
 *      err = sw_run_command(run, "make -j2");
 *      ...
 *      err = sw_run_end(run, SW_LLB_OPTS(.name = "compile"), &built);
 *      ...
 *      err = sw_state_marshal(built, NULL, &def);
 *
 * Nothing is looked up while a graph is put together. Values are resolved when the state is
 * marshalled, against the constraints given then: the platform, what the daemon can do. So
 * one state can be marshalled for several platforms. A part that can only be known then is
 * made by a function: sw_state_late().
 *
 * Definitions equal, byte for byte in every op, those that BuildKit's Go client makes of
 * the same graph; maps are written sorted.
 *
 * Strings are UTF-8, which is looked at when the state is marshalled.
 *
 * Ownership: states are counted. States, strings and arrays passed in are borrowed until
 * return; results are handed back. Lists of strings end with NULL.
 * Threads: states, source maps and bound file actions may be used by several threads at
 * once. sw_run and sw_files belong to one thread at a time.
 * Structs of options start with their size, which the macro beside each fills in; they
 * grow at the end only. NULL instead of one means all defaults.
 * Errors everywhere: SW_E_INVALID (bad references, URLs, paths, numbers),
 * SW_E_UNSUPPORTED (an option that this library is too old for), SW_E_LIMIT.
 * Blocks: no, but for what a function given to sw_state_late() does.   Since: 0.1
 */
#ifndef SLIPWAY_LLB_H
#define SLIPWAY_LLB_H

#include <slipway/buf.h>
#include <slipway/llbfiles.h>
#include <slipway/llbrun.h>
#include <slipway/llbsource.h>
#include <slipway/llbstate.h>

SW_BEGIN_DECLS

/* ---- Putting trees together ---- */

/** sw_llb_merge - the trees laid over one another, later ones on top. Scratch is left out;
 *  of nothing is scratch, of one is that one. */
SW_API SW_NODISCARD sw_err *sw_llb_merge(const sw_state *const *states, size_t n,
                                         const struct sw_llb_opts *opts, sw_state **out);
/** sw_llb_diff - what @upper changes of @lower, with the values of @lower; @upper itself
 *  when @lower is scratch. */
SW_API SW_NODISCARD sw_err *sw_llb_diff(const sw_state *lower, const sw_state *upper,
                                        const struct sw_llb_opts *opts, sw_state **out);
/** sw_state_requires - @s, once @deps are made too. @id names the vertex. */
SW_API SW_NODISCARD sw_err *sw_state_requires(const sw_state *s, const char *id,
                                              const sw_state *const *deps, size_t n,
                                              const struct sw_llb_opts *opts,
                                              sw_state **out);

struct sw_llb_pass {
        const sw_state *state;
        bool output; /* comes out again */
};
/** sw_llb_passthrough - a vertex whose outputs are some of its inputs.
 *  @out: room for one state per output, in order; all are handed back. */
SW_API SW_NODISCARD sw_err *sw_llb_passthrough(const char *id,
                                               const struct sw_llb_pass *inputs, size_t n,
                                               const struct sw_llb_opts *opts,
                                               sw_state **out);
/** sw_state_build - the result of the definition in the file @filename of @s (NULL:
 *  "buildkit.llb.definition"). */
SW_API SW_NODISCARD sw_err *sw_state_build(const sw_state *s, const char *filename,
                                           const struct sw_llb_opts *opts, sw_state **out);

/* ---- Definitions ---- */

/**
 * sw_state_marshal - write the definition of @s: a protobuf message pb.Definition, as
 * the build API, buildctl and `slipway debug dump-llb` take it.
 * @opts: for all vertices; the platform is the host's when not given.
 * @out:  appended to, on success only. Nothing for scratch. How large it may get is for the
 *        reader to say: sw_definition_decode() and the API of daemons take 16 MiB.
 * Errors: those of late functions; SW_E_INVALID or SW_E_LIMIT, naming the vertex.
 */
SW_API SW_NODISCARD sw_err *sw_state_marshal(const sw_state *s,
                                             const struct sw_llb_opts *opts, sw_buf *out);

SW_END_DECLS
#endif
