dnl slipway.m4 - what configure.ac asks for by name.

dnl SW_COMPILER_FLAGS - SW_CFLAGS and SW_LDFLAGS: language, warnings, hardening.
AC_DEFUN([SW_COMPILER_FLAGS], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors])])
SW_CFLAGS="-std=gnu11 -fvisibility=hidden -Wall -Wextra -Wshadow -Wstrict-prototypes \
-Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wpointer-arith -Wvla \
-Wwrite-strings -Wno-missing-field-initializers -Wno-unused-parameter -fno-common -fstack-protector-strong"
AS_IF([test "$enable_werror" = yes], [SW_CFLAGS="$SW_CFLAGS -Werror"])
AC_SUBST([SW_CFLAGS])
])

dnl SW_SANITIZERS - --with-sanitizer=address,undefined and the like.
AC_DEFUN([SW_SANITIZERS], [
AC_ARG_WITH([sanitizer],
        [AS_HELP_STRING([--with-sanitizer=LIST], [compile with -fsanitize=LIST])],
        [SW_SAN="-fsanitize=$withval -fno-sanitize-recover=all -fno-omit-frame-pointer"], [SW_SAN=])
AC_SUBST([SW_SAN])
dnl A sanitized library has its runtime in the program, so it has undefined symbols.
AM_CONDITIONAL([SANITIZED], [test -n "$SW_SAN"])
])

dnl SW_ARG_STATIC_PLUGINS - one program with every plugin preopened.
AC_DEFUN([SW_ARG_STATIC_PLUGINS], [
AC_ARG_ENABLE([static-plugins],
        [AS_HELP_STRING([--enable-static-plugins],
                [link every plugin into the programs (use with --disable-shared)])])
AS_IF([test "$enable_static_plugins" = yes && test "$enable_shared" = yes],
        [AC_MSG_ERROR([--enable-static-plugins goes with --disable-shared --enable-static])])
AM_CONDITIONAL([STATIC_PLUGINS], [test "$enable_static_plugins" = yes])
AS_IF([test "$enable_static_plugins" = yes],
        [AC_DEFINE([SW_STATIC_PLUGINS], [1], [Plugins are linked into the program.])])
])

dnl SW_PLUGIN_SWITCH(FOLDER) - --disable-FOLDER and the conditional PLUGIN_<FOLDER>.
AC_DEFUN([SW_PLUGIN_SWITCH], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [leave out the plugin $1])],
        [], [AS_VAR_SET([enable_]m4_translit([$1], [-.], [__]), [yes])])
AM_CONDITIONAL([PLUGIN_]m4_toupper(m4_translit([$1], [-.], [__])),
        [test "$enable_]m4_translit([$1], [-.], [__])[" != no])
])
