# lib/registry: a client of registries, for the plugins that pull and push.
EXTRA_DIST += lib/registry/registry.h
