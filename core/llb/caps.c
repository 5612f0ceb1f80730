/*
 * core/llb/caps.c - the capabilities that a definition may ask for. All of them are there.
 *
 * Thread: any.
 */
#include <stdlib.h>
#include <string.h>

#include <slipway/definition.h>

/* Sorted by bytes. "soruce.http.uidgid" is misspelled on the wire. */
static const char *const caps[] = {
        "cache.azblob",
        "cache.gha",
        "cache.s3",
        "constraints",
        "diffop",
        "exec.cgroup",
        "exec.meta.base",
        "exec.meta.cdi",
        "exec.meta.cgroup.parent",
        "exec.meta.linux.resources",
        "exec.meta.network",
        "exec.meta.network.proxy",
        "exec.meta.proxyenv",
        "exec.meta.removemountstubs.recursive",
        "exec.meta.security",
        "exec.meta.security.devices.v1",
        "exec.meta.setsdefaultpath",
        "exec.meta.ulimit",
        "exec.mount.bind",
        "exec.mount.bind.readwrite-nooutput",
        "exec.mount.cache",
        "exec.mount.cache.content",
        "exec.mount.cache.sharing",
        "exec.mount.secret",
        "exec.mount.selector",
        "exec.mount.ssh",
        "exec.mount.tmpfs",
        "exec.mount.tmpfs.size",
        "exec.secretenv",
        "exec.validexitcode",
        "exporter.image.annotations",
        "exporter.image.attestations",
        "exporter.multiple",
        "exporter.session",
        "exporter.sourcedateepoch",
        "file.base",
        "file.copy.alwaysreplaceexistingdestpaths",
        "file.copy.includeexcludepatterns",
        "file.copy.modestring",
        "file.copy.requiredpaths",
        "file.rm.nofollowsymlink",
        "file.rm.wildcard",
        "file.symlink.create",
        "gc.freespacefilter",
        "history.filter",
        "mergeop",
        "meta.description",
        "meta.exportcache",
        "meta.ignorecache",
        "passthroughop",
        "platform",
        "soruce.http.uidgid",
        "source.buildop.llbfilename",
        "source.git",
        "source.git.bundle",
        "source.git.checkoutbundle",
        "source.git.checksum",
        "source.git.fetchbycommit",
        "source.git.fullurl",
        "source.git.httpauth",
        "source.git.keepgitdir",
        "source.git.knownsshhosts",
        "source.git.mountsshsock",
        "source.git.mtime",
        "source.git.signatureverify",
        "source.git.skipsubmodules",
        "source.git.subdir",
        "source.http",
        "source.http.auth",
        "source.http.checksum",
        "source.http.header",
        "source.http.perm",
        "source.http.signatureverify",
        "source.image",
        "source.image.checksum",
        "source.image.layerlimit",
        "source.image.resolvemode",
        "source.imageblob",
        "source.local",
        "source.local.differ",
        "source.local.excludepatterns",
        "source.local.followpaths",
        "source.local.includepatterns",
        "source.local.metadatatransfer",
        "source.local.sessionid",
        "source.local.sharedkeyhint",
        "source.local.unique",
        "source.ocilayout",
        "source.policy",
        "source.policy.session",
};

static int
by_name(const void *key, const void *member)
{
        return strcmp((const char *) key, *(const char *const *) member);
}

const char *const *
sw_llb_caps(size_t *n)
{
        *n = SW_COUNT(caps);
        return caps;
}

bool
sw_llb_cap_known(const char *name)
{
        return bsearch(name, caps, SW_COUNT(caps), sizeof(caps[0]), by_name) != NULL;
}
