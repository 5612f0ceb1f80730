# bench: measurements, run by ./dev bench. Programs are called *_bench and are not installed.
EXTRA_DIST += bench/plugins.sh
