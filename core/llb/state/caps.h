/*
 * core/llb/state/caps.h - the capabilities that the builder records, as a set of bits.
 * Bits are in the order of their names by bytes, which is the order maps are written in.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_CAPS_H
#define SLIPWAY_CORE_LLB_STATE_CAPS_H

#include <stdint.h>

/* clang-format off */
#define CAPS(X)                                                                            \
        X(CONSTRAINTS, "constraints")                                                      \
        X(DIFF, "diffop")                                                                  \
        X(EXEC_META_BASE, "exec.meta.base")                                                \
        X(EXEC_META_CDI, "exec.meta.cdi")                                                  \
        X(EXEC_META_LINUX_RESOURCES, "exec.meta.linux.resources")                          \
        X(EXEC_META_NETWORK, "exec.meta.network")                                          \
        X(EXEC_META_PROXYENV, "exec.meta.proxyenv")                                        \
        X(EXEC_META_SECURITY, "exec.meta.security")                                        \
        X(EXEC_META_SETS_DEFAULT_PATH, "exec.meta.setsdefaultpath")                        \
        X(EXEC_META_ULIMIT, "exec.meta.ulimit")                                            \
        X(EXEC_MOUNT_BIND, "exec.mount.bind")                                              \
        X(EXEC_MOUNT_CACHE, "exec.mount.cache")                                            \
        X(EXEC_MOUNT_CACHE_CONTENT, "exec.mount.cache.content")                            \
        X(EXEC_MOUNT_CACHE_SHARING, "exec.mount.cache.sharing")                            \
        X(EXEC_MOUNT_SECRET, "exec.mount.secret")                                          \
        X(EXEC_MOUNT_SELECTOR, "exec.mount.selector")                                      \
        X(EXEC_MOUNT_SSH, "exec.mount.ssh")                                                \
        X(EXEC_MOUNT_TMPFS, "exec.mount.tmpfs")                                            \
        X(EXEC_MOUNT_TMPFS_SIZE, "exec.mount.tmpfs.size")                                  \
        X(EXEC_SECRET_ENV, "exec.secretenv")                                               \
        X(EXEC_VALID_EXIT_CODE, "exec.validexitcode")                                      \
        X(FILE_BASE, "file.base")                                                          \
        X(MERGE, "mergeop")                                                                \
        X(META_DESCRIPTION, "meta.description")                                            \
        X(META_EXPORT_CACHE, "meta.exportcache")                                           \
        X(META_IGNORE_CACHE, "meta.ignorecache")                                           \
        X(PASSTHROUGH, "passthroughop")                                                    \
        X(PLATFORM, "platform")                                                            \
        X(HTTP_UIDGID, "soruce.http.uidgid") /* spelled so on the wire */                  \
        X(BUILDOP_FILENAME, "source.buildop.llbfilename")                                  \
        X(GIT, "source.git")                                                               \
        X(GIT_BUNDLE, "source.git.bundle")                                                 \
        X(GIT_CHECKOUT_BUNDLE, "source.git.checkoutbundle")                                \
        X(GIT_CHECKSUM, "source.git.checksum")                                             \
        X(GIT_FETCH_BY_COMMIT, "source.git.fetchbycommit")                                 \
        X(GIT_FULL_URL, "source.git.fullurl")                                              \
        X(GIT_HTTP_AUTH, "source.git.httpauth")                                            \
        X(GIT_KEEP_DIR, "source.git.keepgitdir")                                           \
        X(GIT_KNOWN_HOSTS, "source.git.knownsshhosts")                                     \
        X(GIT_MOUNT_SSH, "source.git.mountsshsock")                                        \
        X(GIT_MTIME, "source.git.mtime")                                                   \
        X(GIT_SIGNATURE, "source.git.signatureverify")                                     \
        X(GIT_SKIP_SUBMODULES, "source.git.skipsubmodules")                                \
        X(HTTP, "source.http")                                                             \
        X(HTTP_AUTH, "source.http.auth")                                                   \
        X(HTTP_CHECKSUM, "source.http.checksum")                                           \
        X(HTTP_HEADER, "source.http.header")                                               \
        X(HTTP_PERM, "source.http.perm")                                                   \
        X(HTTP_SIGNATURE, "source.http.signatureverify")                                   \
        X(IMAGE, "source.image")                                                           \
        X(IMAGE_CHECKSUM, "source.image.checksum")                                         \
        X(IMAGE_LAYER_LIMIT, "source.image.layerlimit")                                    \
        X(IMAGE_RESOLVE_MODE, "source.image.resolvemode")                                  \
        X(IMAGE_BLOB, "source.imageblob")                                                  \
        X(LOCAL, "source.local")                                                           \
        X(LOCAL_DIFFER, "source.local.differ")                                             \
        X(LOCAL_EXCLUDE, "source.local.excludepatterns")                                   \
        X(LOCAL_FOLLOW, "source.local.followpaths")                                        \
        X(LOCAL_INCLUDE, "source.local.includepatterns")                                   \
        X(LOCAL_METADATA, "source.local.metadatatransfer")                                 \
        X(LOCAL_SESSION, "source.local.sessionid")                                         \
        X(LOCAL_SHARED_KEY, "source.local.sharedkeyhint")                                  \
        X(LOCAL_UNIQUE, "source.local.unique")                                             \
        X(OCI_LAYOUT, "source.ocilayout")
/* clang-format on */

enum cap {
#define X(id, name) CAP_##id,
        CAPS(X)
#undef X
                CAP_COUNT
};

typedef uint64_t capset;
_Static_assert(CAP_COUNT <= 64, "a capset has 64 bits");

#define CAP(id) ((capset) 1 << CAP_##id)

extern const char *const sw__llb_cap_names[CAP_COUNT];

#endif
