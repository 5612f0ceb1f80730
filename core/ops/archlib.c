/*
 * core/ops/archlib.c - see archlib.h. Thread: any; the dynamic linker counts the uses.
 */
#include <dlfcn.h>
#include <string.h>

#include "core/ops/archlib.h"

#define LIBRARY "libarchive.so.13"

/* Functions come out of the linker as pointers to data. */
static bool
take_function(void *handle, const char *name, void *slot, size_t size)
{
        void *p = dlsym(handle, name);

        memcpy(slot, &p, size);
        return p != NULL;
}

sw_err *
sw__archlib_load(struct sw__archlib *out)
{
        void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        const char *missing = NULL;

        if (!handle)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "unpacking archives needs " LIBRARY
                                  " (package libarchive13): %s",
                                  dlerror());
#define TAKE(f)                                                                            \
        if (!take_function(handle, "archive_" #f, &out->f, sizeof(out->f)))                \
                missing = "archive_" #f;
        SW__ARCHLIB(TAKE)
#undef TAKE
        (void) dlclose(handle);
        if (missing)
                return sw_err_new(SW_E_UNSUPPORTED, LIBRARY " is too old: it has no %s",
                                  missing);
        return SW_OK;
}
