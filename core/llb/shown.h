/*
 * core/llb/shown.h - text from outside in messages: quoted, cut, nothing that steers a
 * terminal. A value, so that it needs no release:
 *
 *      sw_err_new(SW_E_INVALID, "mount at %s: …", sw__llb_shown(dest).text);
 */
#ifndef SLIPWAY_CORE_LLB_SHOWN_H
#define SLIPWAY_CORE_LLB_SHOWN_H

#define SHOWN_MAX 200 /* bytes of the text that are shown */

struct sw__llb_shown {
        char text[4 * SHOWN_MAX + 16]; /* every byte escaped, quotes, the mark of a cut */
};

struct sw__llb_shown sw__llb_shown(const char *s);

#endif
