# standin-kit.sh - images that stand in for those of a public registry; sourced after build-kit.sh.
#
#      standin_images       debian:12-slim, gcc:12, python:3.11-slim, node:18-slim and busybox:musl in
#                           the store, made of what Debian has installed on this machine: no network
#      standin_foreign      sets $foreign_busybox: Debian's busybox for arm64, fetched once a build
#                           tree by apt, which learns nothing of another architecture by that
# shellcheck shell=bash disable=SC2154,SC2034

# standin_root NAME ARG...: what debfiles.py says to these.
standin_root() {
        local name=$1
        shift
        mkdir -p "$dir/standin/$name"
        python3 "$top_srcdir/tests/tools/debfiles.py" "$@" >"$dir/standin/files" || return
        # What the machine's administrator had left out when it was installed is not there.
        tar -C / --no-recursion --ignore-failed-read -cf - -T "$dir/standin/files" 2>/dev/null |
                tar -C "$dir/standin/$name" -xpf -
}

standin_images() {
        local target part root=$dir/standin
        local -a every=(essential mawk passwd)
        standin_root debian "${every[@]}" &&
                standin_root gcc --without "${every[@]}" -- gcc libc6-dev make gcc-aarch64-linux-gnu libc6-dev-arm64-cross &&
                standin_root python --without "${every[@]}" -- python3 python3-venv python3-pip &&
                standin_root node --without "${every[@]}" -- nodejs || return
        for part in bin sbin lib lib64; do ln -s "usr/$part" "$root/debian/$part"; done
        cp "$root/debian/usr/share/base-passwd/passwd.master" "$root/debian/etc/passwd"
        cp "$root/debian/usr/share/base-passwd/group.master" "$root/debian/etc/group"
        ln -sf dash "$root/debian/usr/bin/sh"
        ln -sf mawk "$root/debian/usr/bin/awk"
        ln -sf gcc "$root/gcc/usr/bin/cc"
        ln -sf python3 "$root/python/usr/bin/python"
        mkdir -p "$root/busybox"/{bin,etc,tmp}
        cp "$(command -v busybox)" "$root/busybox/bin/busybox"
        cat >"$root/Dockerfile" <<'END'
FROM scratch AS debian
COPY debian /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["bash"]

FROM debian AS gcc
COPY gcc /

FROM debian AS python
COPY python /
CMD ["python3"]

FROM debian AS node
COPY node /
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node
CMD ["node"]

FROM scratch AS busybox
COPY busybox /
RUN ["/bin/busybox", "--install", "/bin"]
CMD ["sh"]
END
        for target in debian=debian:12-slim gcc=gcc:12 python=python:3.11-slim node=node:18-slim busybox=busybox:musl; do
                kit_build --target "${target%%=*}" -o "type=image,name=${target#*=},compression=uncompressed" "$root" || return
        done
        rm -rf "$root"
}

standin_foreign() {
        local apt=$dir/apt mirror suite
        foreign_busybox=$top_builddir/tests/integration/busybox-arm64
        if [ ! -e "$foreign_busybox" ]; then
                # shellcheck disable=SC2016
                read -r mirror suite < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
                        grep -vE -- '-(updates|backports)|security') || { echo "apt knows no archive"; return 1; }
                mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts,preferences}
                : >"$apt/status"
                echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
                cat >"$apt/conf" <<END
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::Etc::preferencesparts "$apt/preferences";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
END
                (cd "$apt" && export APT_CONFIG=$apt/conf && apt-get update -q && apt-get download -q busybox-static &&
                        dpkg-deb --fsys-tarfile busybox-static_*.deb | tar -xO ./bin/busybox >busybox) || return
                chmod 755 "$apt/busybox" && mkdir -p "${foreign_busybox%/*}" && mv "$apt/busybox" "$foreign_busybox"
        fi
}
