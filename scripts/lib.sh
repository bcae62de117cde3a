# shellcheck shell=bash disable=SC2034  # the variables are for the scripts that source this
# What the scripts share: where things are, and how the parts are found.
# Source it after `set -euo pipefail`; it prints nothing and fetches nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lock="$root/scripts/libtorch.lock"
libtorch="$root/third_party/libtorch"

# The user's cache: wheels, compiled objects and tools, shared by all clones.
if [ -z "${XDG_CACHE_HOME:-}" ] && [ -z "${HOME:-}" ]; then
    echo "${0##*/}: neither HOME nor XDG_CACHE_HOME is set; set one of them to a writable folder" >&2
    exit 1
fi
cache="${XDG_CACHE_HOME:-${HOME:-}/.cache}/flowmatch"

# What the scripts make, others may not write.
umask "$(printf %04o $((8#$(umask) | 2)))"

live= # standard error is a terminal
if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then live=1; fi

die() {
    say "$@"
    exit 1
}

# On a terminal lines are broken between words.
say() {
    local width=
    [ -z "$live" ] || width=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2) || true
    if [ "${width:-0}" -gt 20 ]; then
        fold -s -w "$width" <<<"${0##*/}: $*" >&2
    else
        echo "${0##*/}: $*" >&2
    fi
}

# A line on a terminal that the next one replaces, whatever its width.
status() {
    [ -z "$live" ] || printf '\r\033[?7l%s: %s\033[K\033[?7h' "${0##*/}" "$*" >&2
}

clear_status() {
    [ -z "$live" ] || printf '\r\033[K' >&2
}

# ---- Whose files they are ----------------------------------------------------

# What comes from the cache is run, or linked into what is run. So it must belong
# to this user or to root, as must the folders on the way to it, and others than
# their groups may not write them; in one like /tmp they may not take another's
# place. Says what is wrong with a path, a line, or fails.
# Where a program is given that is run anyway, as Python is, those who can put another in its place are as good.
others_can_write() { # PATH [PROGRAM]
    local names=() owners owner mode kind file
    owners=" 0 $EUID "
    if [ -n "${2:-}" ]; then
        mapfile -t names < <(names_to "$2")
        owners+="$(stat -c %u -- "${names[@]}" | tr '\n' ' ')"
    fi
    mapfile -t names < <(names_to "$1")
    while read -r owner mode kind file; do
        if [[ $owners != *" $owner "* ]]; then
            echo "$file belongs to user $owner"
            return 0
        fi
        case $kind in
        l*) continue ;; # has no mode; what it means is looked at, too
        d*) ((8#$mode & 8#1000)) && continue ;;
        esac
        if ((8#$mode & 2)); then
            echo "everybody may write $file"
            return 0
        fi
    done < <(stat -c '%u %a %.1A %n' -- "${names[@]}")
    return 1
}

# All names on the way to a path that are there, a line each: as it is, and behind the links.
names_to() { # PATH
    local name
    for name in "$(realpath -ms "$1")" "$(realpath -m "$1")"; do
        while :; do
            [ ! -e "$name" ] && [ ! -L "$name" ] || printf '%s\n' "$name"
            [ "$name" != / ] || break
            name=$(dirname "$name")
        done
    done
}

# Makes a folder of the cache, and ends if others could put something there.
own_folder() { # FOLDER
    local why
    { mkdir -p "$1" && [ -w "$1" ]; } 2>/dev/null ||
        die "cannot write to $1; name another cache folder with XDG_CACHE_HOME"
    ! why=$(others_can_write "$1") ||
        die "$why, so that what is kept in $1 could be another's: mend that, or name another cache folder with XDG_CACHE_HOME"
}

# ---- Python ----------------------------------------------------------------

# Runs Python, which by itself looks for modules in the working directory first: anybody's zipfile.py there would run in the
# place of Python's own. It is left out, and what PYTHONPATH names in it.
run_python() { # -m MODULE | -c PROGRAM | - (a program on standard input), ARGUMENT...
    local folder folders=() absolute=
    IFS=: read -ra folders <<<"${PYTHONPATH:-}"
    for folder in "${folders[@]}"; do
        [[ $folder != /* ]] || absolute+=:$folder
    done
    PYTHONPATH=${absolute#:} python3 -c '
import sys
sys.path[:] = [p for p in sys.path if p]
how = sys.argv.pop(1)
if how == "-m":
    import runpy
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    program = sys.stdin.read() if how == "-" else sys.argv.pop(1)
    exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
' "$@"
}

# ---- Go --------------------------------------------------------------------

go_needed=1.26.6 # a patched release: what is older has known holes in the standard library

# The version of the Go at $1, "1.26.6"; empty if it does not answer. From / and
# with GOTOOLCHAIN=local: inside a module an old Go would fetch a newer one.
go_version() {
    (cd / && GOTOOLCHAIN=local "$1" version 2>/dev/null) | sed -n 's/^go version go\([0-9.]*\).*/\1/p'
}

new_enough() { # HAVE WANT
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Puts a Go that is new enough first on PATH: the machine's own, else the one
# that scripts/setup fetched. Fails if there is neither.
use_go() {
    local have
    have=$(go_version go)
    if [ -n "$have" ] && new_enough "$have" "$go_needed"; then
        return 0
    fi
    have=$(go_version "$root/third_party/go/bin/go")
    if [ -n "$have" ] && new_enough "$have" "$go_needed"; then
        unset GOROOT # it would point the new Go at the old one's library
        export PATH="$root/third_party/go/bin:$PATH"
        return 0
    fi
    return 1
}

# What the programs' --version says of the sources.
code_version() {
    echo "${VERSION:-$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)}"
}

# Builds all programs into a folder: one file under the name of each
# (cmd/internal/multicall), or copies of it where the file system has no such links.
build_programs() { # FOLDER VERSION [LINKER'S FLAG...]
    local folder=$1 version=$2 name first=train
    shift 2
    mkdir -p "$folder"
    (cd "$root" && go build ${live:+-v} -trimpath -buildvcs=false -ldflags "$* -X flowmatch/cmd/internal/cli.Version=$version" \
        -o "$folder/$first" ./cmd/internal/multicall) 2>&1 | count_packages
    for name in "$root"/cmd/*/main.go; do
        name=$(basename "$(dirname "$name")")
        [ ! "$folder/$name" -ef "$folder/$first" ] || continue
        { ln -f "$folder/$first" "$folder/.$name.$$" 2>/dev/null || cp "$folder/$first" "$folder/.$name.$$"; } &&
            mv -f "$folder/.$name.$$" "$folder/$name"
    done
}

# Go names each package that it compiles: here they are counted. All else is said.
count_packages() {
    local line n=0
    while IFS= read -r line; do
        if [ -n "$live" ] && [[ $line =~ ^[a-z0-9][A-Za-z0-9._/-]*$ ]]; then
            n=$((n + 1))
            status "packages of Go compiled: $n (the first time some 300)"
        else
            clear_status
            printf '%s\n' "$line" >&2
        fi
    done
    clear_status
}

# ---- C++ -------------------------------------------------------------------

cxx=${CXX:-g++}
cxx_standard=c++20

# The C++ sources of the binding in a folder, a line each.
cxx_sources() { # FOLDER
    find "$1" "$1/kernels" -maxdepth 1 -name '*.cc' | LC_ALL=C sort
}

# What all kernels may include, and the text of those for GPUs, which are in the library as they are.
kernel_headers() { # FOLDER
    find "$1/kernels" \( -name '*.h' -o -path '*/gpu/*' \) -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
}

# Sets kernel to the flags of a source that is compiled for a kind of processor
# (cgotorch/kernels/kernels.h); fails for all others. The warning that is off
# is about the compiler's own headers (GCC's bug 105593).
kernel_flags() { # SOURCE
    local avx512=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
    kernel=(-O3 -ffp-contract=fast -Wno-uninitialized -Wno-maybe-uninitialized)
    case ${1##*/kernels/} in
    *_base.cc) ;;
    *_avx2.cc) kernel+=(-mavx2 -mfma) ;;
    *_avx512.cc) kernel+=("${avx512[@]}") ;;
    *_avx512bf16.cc) kernel+=("${avx512[@]}" -mavx512bf16) ;;
    *_amx.cc) kernel+=("${avx512[@]}" -mavx512bf16 -mamx-tile -mamx-bf16) ;;
    *)
        kernel=()
        return 1
        ;;
    esac
    # What must have libtorch's bits says itself where two operations are one.
    [[ $1 != */adamw_* ]] || kernel+=(-ffp-contract=off)
}

have_cxx() {
    # <span> came with C++20: this finds a compiler without its library, too.
    "$cxx" -std=$cxx_standard -x c++ -fsyntax-only - 2>/dev/null <<<'#include <span>'
}

# The newest versions of the C and C++ libraries' symbols that files are linked to, a line
# for each library: GLIBC 2.34.
symbols_needed() { # FILE...
    objdump -T -- "$@" | awk '/\*UND\*/' | grep -oE '\b(GLIBC|GLIBCXX|CXXABI)_[0-9.]+' | tr _ ' ' | sort -k1,1 -k2,2V |
        awk '$1 != name && name {print last} {name = $1; last = $0} END {if (name) print last}'
}

# Prints the path of the wheel whose network PyTorch is timed with, which is
# fetched into the cache if it is not there, and is the one in the lock file.
fetch_peer_wheel() {
    local sum wheel part why
    read -r _ sum _ wheel < <(grep '^peer ' "$lock")
    if [ ! -e "$cache/wheels/$wheel" ]; then
        part=$(mktemp -d)
        run_python -m pip download --quiet --no-deps --only-binary=:all: --require-hashes --dest "$part" \
            -r <(echo "torchcfm==$(cut -d- -f2 <<<"$wheel") --hash=sha256:$sum") >&2 || die "$wheel cannot be fetched; put it into $cache/wheels"
        own_folder "$cache/wheels"
        cp "$part/$wheel" "$cache/wheels/.$wheel.$$" && mv "$cache/wheels/.$wheel.$$" "$cache/wheels/$wheel"
        rm -r "$part"
    fi
    ! why=$(others_can_write "$cache/wheels/$wheel") || die "$why: delete $cache/wheels/$wheel"
    echo "$sum  $cache/wheels/$wheel" | sha256sum --check --quiet >&2 || die "$cache/wheels/$wheel is not the one in $lock: delete it"
    echo "$cache/wheels/$wheel"
}

# ---- libtorch --------------------------------------------------------------

libtorch_needed=2.11

# The version of the libtorch in folder $1, "2.11.0+cu130"; empty if unknown.
libtorch_version() {
    local header="$1/include/torch/headeronly/version.h"
    if [ -r "$1/build-version" ]; then
        head -n 1 "$1/build-version"
    elif [ -r "$1/version.py" ]; then
        sed -n "s/^__version__ = '\(.*\)'/\1/p" "$1/version.py"
    elif [ -r "$header" ]; then
        sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\).*/\2/p' "$header" | paste -sd .
    fi
}

# Which wheels a tree was made from, and how: goes into its `version` file.
layout= # 2, 3, ... when setup unpacks other files than it did
lock_hash() { # FLAVOUR
    local sets='^cpu '
    [ "$1" = cpu ] || sets='^(cpu|cuda) '
    { grep -E "$sets" "$lock" && printf %s "$layout"; } | sha256sum | cut -c1-16
}

# What third_party/libtorch was unpacked as: cpu, cuda, or nothing if it is
# absent, from another lock file, or if one of its files is not as unpacked.
libtorch_flavour() {
    local flavour hash
    [ -r "$libtorch/version" ] || return 0
    read -r _ flavour hash <"$libtorch/version"
    [ "$hash" = "$(lock_hash "$flavour")" ] || return 0
    (cd "$libtorch" && library_sizes 2>/dev/null | cmp -s - libraries) || return 0
    echo "$flavour"
}

# The libraries below the working directory, with their sizes.
library_sizes() {
    find torch nvidia -name '*.so*' -printf '%p %s\n' | LC_ALL=C sort
}

# Finds the libtorch to compile against and sets torch_dir (holds lib and
# include), torch_version, torch_origin (for messages) and cuda_include (empty
# if the CUDA headers are nowhere). LIBTORCH and LIBTORCH_USE_PYTORCH mean what
# they mean to tch-rs. Fails if third_party/libtorch is meant and not whole.
find_libtorch() {
    if [ -n "${LIBTORCH:-}" ]; then
        torch_origin="LIBTORCH=$LIBTORCH"
        torch_dir=$LIBTORCH
        [ ! -d "$LIBTORCH/torch/lib" ] || torch_dir=$LIBTORCH/torch
    elif [ "${LIBTORCH_USE_PYTORCH:-0}" = 1 ]; then
        torch_origin="LIBTORCH_USE_PYTORCH=1"
        local program file why
        { read -r program && read -r torch_dir; } < <(run_python -c 'import importlib.util as u, sys
print(sys.executable)
print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null) ||
            die "LIBTORCH_USE_PYTORCH=1: python3 has no package torch; install torch $libtorch_needed or unset the variable"
        for file in "${torch_files[@]}"; do
            ! why=$(others_can_write "$torch_dir/$file" "$program") ||
                die "LIBTORCH_USE_PYTORCH=1: $why; say LIBTORCH=$torch_dir if you trust it, or unset the variable"
        done
    else
        torch_origin="third_party/libtorch"
        torch_dir=$libtorch/torch
        [ -n "$(libtorch_flavour)" ] || return 1
    fi
    check_libtorch
    find_cuda_headers
}

torch_files=(lib/libtorch_cpu.so lib/libc10.so include/torch/csrc/api/include/torch/torch.h)

check_libtorch() {
    local file
    for file in "${torch_files[@]}"; do
        [ -e "$torch_dir/$file" ] ||
            die "$torch_origin: $file is missing there; name a folder of libtorch $libtorch_needed that has lib and include, or unset the variable"
    done
    torch_version=$(libtorch_version "$torch_dir")
    case $torch_version in
    "$libtorch_needed".*) ;;
    *) die "$torch_origin is libtorch ${torch_version:-of unknown version}; $libtorch_needed is needed: name another folder or unset the variable" ;;
    esac
}

# The same for the libtorch in a folder, whatever its version: it is what is
# needed then.
find_any_libtorch() { # FOLDER
    local version
    version=$(libtorch_version "$1/torch")
    libtorch_needed=$(cut -d. -f1,2 <<<"$version")
    torch_origin=$1
    torch_dir=$1/torch
    cuda_include=
    check_libtorch
}

find_cuda_headers() {
    local dir
    cuda_include=
    for dir in "$torch_dir/../nvidia/cu13/include" "$libtorch/nvidia/cu13/include" "${CUDA_HOME:-/usr/local/cuda}/include"; do
        if [ -e "$dir/cuda_runtime_api.h" ] && [ -e "$dir/crt/host_defines.h" ] && [ -d "$torch_dir/include/c10/cuda" ]; then
            cuda_include=$dir
            return 0
        fi
    done
}

# ---- Wheels ----------------------------------------------------------------

locked_sha() { # WHEEL
    awk -v wheel="$1" '$4 == wheel {print $2}' "$lock"
}

# Unpacks those files of a wheel that match one of the patterns, as glob(7) but
# with * for any characters; their modes are kept. The open file is read twice,
# first for its SHA-256 (- for none): a path could mean another file by then.
unpack() { # WHEEL SHA256 FOLDER PATTERN...
    run_python - "${0##*/}" "$@" <<'EOF'
import fnmatch, hashlib, os, sys, zipfile

program, wheel, sha256, folder, *patterns = sys.argv[1:]
try:
    with open(wheel, "rb") as f, zipfile.ZipFile(f) as z:
        if sha256 != "-":
            status = os.fstat(f.fileno())
            if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o002:
                sys.exit(f"{program}: cannot unpack {wheel}: others may write it")
            sum = hashlib.sha256()
            f.seek(0)
            while block := f.read(1 << 20):
                sum.update(block)
            if sum.hexdigest() != sha256:
                sys.exit(f"{program}: cannot unpack {wheel}: it is not the pinned file (its SHA-256 differs)")
        for info in z.infolist():
            if info.is_dir() or not any(fnmatch.fnmatchcase(info.filename, p) for p in patterns):
                continue
            path = z.extract(info, folder)
            if info.external_attr >> 16 & 0o111:
                os.chmod(path, 0o755)
except (OSError, zipfile.BadZipFile) as e:
    sys.exit(f"{program}: cannot unpack {os.path.basename(wheel)}: {e}")
EOF
}

# ---- Tools of scripts/test -------------------------------------------------

# The folder of the pinned tools; their versions are in its name.
tools_dir() {
    echo "$cache/tools/$(grep -E '^(dev|mod) ' "$lock" | sha256sum | cut -c1-16)"
}

# Puts shellcheck, clang-format and staticcheck first on PATH, if they are as
# set-up left them.
use_tools() {
    local dir file
    dir=$(tools_dir)
    [ -x "$dir/shellcheck" ] && [ -x "$dir/clang-format" ] && [ -x "$dir/staticcheck" ] || return 1
    for file in "$dir"/{shellcheck,clang-format,staticcheck,sums}; do
        ! others_can_write "$file" >/dev/null || return 1
    done
    (cd "$dir" && sha256sum --check --status sums 2>/dev/null) || return 1
    export PATH="$dir:$PATH"
}

# Sets nvrtc to the folder of the compiler that kernels for GPUs are compiled with where they run: libtorch's own, or, where
# that is for processors, the one of scripts/setup --dev. Fails if there is neither.
find_nvrtc() {
    local file
    nvrtc=$libtorch/nvidia/cu13/lib
    [ ! -e "$nvrtc/libnvrtc.so.13" ] || return 0
    nvrtc=$(nvrtc_dir)
    for file in "$nvrtc"/libnvrtc{,-builtins}.so.* "$nvrtc/sums"; do
        { [ -e "$file" ] && ! others_can_write "$file" >/dev/null; } || return 1
    done
    (cd "$nvrtc" && sha256sum --check --status sums 2>/dev/null)
}

nvrtc_dir() {
    echo "$cache/tools/nvrtc-$(grep ' nvidia_cuda_nvrtc-' "$lock" | sha256sum | cut -c1-16)"
}
