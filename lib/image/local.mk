# lib/image: names, manifests and configurations of images, for the plugins that move them.
EXTRA_DIST += lib/image/image.h lib/image/name.h
