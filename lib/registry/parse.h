/*
 * lib/registry/parse.h - what registries say in headers and error bodies, taken apart.
 * Pure; any thread. Input is hostile.
 */
#ifndef SLIPWAY_LIB_REGISTRY_PARSE_H
#define SLIPWAY_LIB_REGISTRY_PARSE_H

#include <slipway/array.h>
#include <slipway/buf.h>

/* ---- WWW-Authenticate (challenge.c) ---- */

struct sw__challenge_param {
        char *name; /* in lower case */
        char *value;
};
struct sw__challenge {
        char *scheme;  /* in lower case: "bearer" */
        char *token68; /* or NULL */
        SW_ARRAY(struct sw__challenge_param) params;
};
typedef SW_ARRAY(struct sw__challenge) sw__challenges;
void sw__challenges_release(sw__challenges *c);
SW_DEFINE_AUTO(sw__challenges, sw__challenges_release)

/**
 * sw__challenge_parse - one header's value (RFC 9110, 11.6.1), added to @out.
 * Errors: SW_E_INVALID: what is wrong and where; a parameter given twice; SW_E_LIMIT.
 */
SW_NODISCARD sw_err *sw__challenge_parse(const char *s, sw__challenges *out);
/** The first challenge of a scheme, or NULL; a parameter of it, or NULL. */
const struct sw__challenge *sw__challenge_find(const sw__challenges *c, const char *scheme);
const char *sw__challenge_param(const struct sw__challenge *c, const char *name);

/* ---- Link (link.c) ---- */

/** sw__link_next - the target of the link whose rel is "next" (RFC 8288). @out: from
 *  malloc; NULL: there is none.   Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw__link_next(const char *s, char **out);

/* ---- bodies of errors (errbody.c) ---- */

/** sw__errbody_text - what the body of a refusal says, in one printable line: of the OCI
 *  error format code and message, of token servers theirs, of other text the beginning.
 *  Nothing where it says nothing. Appended to @out. */
void sw__errbody_text(const char *p, size_t n, sw_buf *out);

#endif
