/*
 * hash_tool.c - prints content hashes: DIR, then a selection in each further argument,
 * "PATH|w|f|i:PATTERN|x:PATTERN". tests/integration/contenthash.py compares them with an
 * implementation of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/contenthash/contenthash.h"

static void
print_selection(sw_ref *ref, char *arg)
{
        const char *include[16] = { NULL }, *exclude[16] = { NULL };
        struct sw_hash_select sel = { .include = include, .exclude = exclude };
        size_t n_in = 0, n_ex = 0;
        char *save = NULL, text[SW_DIGEST_STR_SIZE];
        sw_digest d;

        sel.path = strtok_r(arg, "|", &save);
        for (char *p; (p = strtok_r(NULL, "|", &save)) != NULL;) {
                if (strcmp(p, "w") == 0)
                        sel.wildcard = true;
                else if (strcmp(p, "f") == 0)
                        sel.follow_links = true;
                else if (strncmp(p, "i:", 2) == 0 && n_in < 15)
                        include[n_in++] = p + 2;
                else if (strncmp(p, "x:", 2) == 0 && n_ex < 15)
                        exclude[n_ex++] = p + 2;
        }
        sw_err *err = sw__contenthash(NULL, NULL, ref, &sel, &d);
        printf("%s\n", err ? sw_err_code_name(sw_err_code(err)) : sw_digest_str(&d, text));
        sw_err_free(err);
}

int
main(int argc, char **argv)
{
        int fd = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_ref *ref;

        if (fd < 0)
                return EXIT_FAILURE;
        ref = sw_ref_new_dir("tool", fd);
        for (int i = 2; i < argc; i++)
                print_selection(ref, argv[i]);
        sw_ref_unref(ref);
        return EXIT_SUCCESS;
}
