#!/bin/sh
# links.sh DIR - every page that is linked to is there.
cd "$1" || exit
failed=0
for page in *.html; do
        for link in $(sed -n 's/.*href="\([^":]*\)".*/\1/p' "$page"); do
                [ -e "$link" ] || { echo "$page: $link is not there" >&2; failed=1; }
        done
done
exit $failed
