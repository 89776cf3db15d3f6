#!/bin/sh
# Builds the BPF object: scripts/build-bpf.sh [--check | --out FILE]
#   (none)     rebuilds bpf/prebuilt/weir.bpf.o and bpf/prebuilt/SOURCES.sha256, which are committed
#   --out F    writes the object to F only (what the collector does at run time where clang is present and sources changed)
#   --check    fails when the committed object is not what the sources give. Bytes are compared where compiler and kernel BTF are the ones
#              that made it (both stand in SOURCES.sha256); elsewhere the hash of the sources is.
set -eu
cd "$(dirname "$0")/../bpf"
mode=write out=prebuilt/weir.bpf.o
case "${1-}" in
--check) mode=check out=build/check.bpf.o ;;
--out) mode=out out=$2; case $out in /*) ;; *) out="$OLDPWD/$out" ;; esac ;;
'') ;;
*) echo "build-bpf: unknown option $1; use --check or --out FILE" >&2; exit 2 ;;
esac
CLANG=${CLANG:-clang}
sources() { LC_ALL=C ls ./*.bpf.c ./*.h | grep -v vmlinux.h; }
source_hash() { for f in $(sources); do printf '%s\n' "$f"; cat "$f"; done | sha256sum | cut -d' ' -f1; }
recorded() { sed -n "s/^$1 //p" prebuilt/SOURCES.sha256 2>/dev/null || true; }

if ! command -v "$CLANG" >/dev/null || ! command -v bpftool >/dev/null; then
	[ "$mode" = check ] || { echo "build-bpf: clang or bpftool is missing; apt-get install clang llvm libbpf-dev bpftool" >&2; exit 1; }
	[ "$(source_hash)" = "$(recorded sources)" ] || { echo "build-bpf: sources changed since bpf/prebuilt/weir.bpf.o was built; run scripts/build-bpf.sh and commit" >&2; exit 1; }
	echo "build-bpf: no compiler here; the hash of the sources is the recorded one"
	exit 0
fi

work=build/$$
mkdir -p "$work" prebuilt
trap 'rm -rf "$work"' EXIT
bpftool btf dump file /sys/kernel/btf/vmlinux format c >"$work/vmlinux.h"
case $(uname -m) in x86_64) arch=x86 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
objects=
for f in *.bpf.c; do
	# -fdebug-compilation-dir and relative names: the bytes do not depend on where the clone is
	"$CLANG" -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$arch -Wall -Wno-missing-declarations -Wno-unused-function \
		-fdebug-compilation-dir=. -I"$work" -I. -c "$f" -o "$work/${f%.bpf.c}.o"
	objects="$objects $work/${f%.bpf.c}.o"
done
# shellcheck disable=SC2086 # a list of names without spaces
bpftool gen object "$work/weir.bpf.o" $objects
llvm-strip -g "$work/weir.bpf.o" 2>/dev/null || strip -g "$work/weir.bpf.o"
compiler=$("$CLANG" --version | head -1)
kernel=$(sha256sum <"$work/vmlinux.h" | cut -d' ' -f1)

if [ "$mode" = check ]; then
	if [ "$(source_hash)" != "$(recorded sources)" ]; then
		echo "build-bpf: sources changed since bpf/prebuilt/weir.bpf.o was built; run scripts/build-bpf.sh and commit" >&2
		exit 1
	fi
	if [ "$compiler" != "$(recorded compiler)" ] || [ "$kernel" != "$(recorded vmlinux.h)" ]; then
		echo "build-bpf: another compiler or kernel made the committed object ($(recorded compiler)); the hash of the sources is the recorded one"
		exit 0
	fi
	cmp -s "$work/weir.bpf.o" prebuilt/weir.bpf.o || { echo "build-bpf: bpf/prebuilt/weir.bpf.o is not what the sources give; run scripts/build-bpf.sh and commit" >&2; exit 1; }
	echo "build-bpf: the committed object is what the sources give, byte for byte"
	exit 0
fi
mkdir -p "$(dirname "$out")"
mv "$work/weir.bpf.o" "$out"
[ "$mode" = out ] || { echo "sources $(source_hash)"; echo "compiler $compiler"; echo "vmlinux.h $kernel"; } >prebuilt/SOURCES.sha256
