#!/usr/bin/env bash
# Runs the binding's tests on a C++ part that is built with AddressSanitizer
# and UndefinedBehaviorSanitizer (nothing is recovered from), and, with
# --valgrind, looks for memory that the C++ part loses.
#
# What the sanitizers see is our own code and what it is given: libtorch is not
# instrumented, so the checks that need all code to be are off. Leaks are not
# looked for by AddressSanitizer, which cannot see what Go's memory points to;
# valgrind's memcheck does that on a C++ program without Go (cgotorch/check).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$here/../../scripts/lib.sh"

usage() {
    cat <<'USAGE'
Usage: third_party/gotorch/sanitize.sh [--valgrind]

  --valgrind  memcheck only: definite leaks of the C++ part
USAGE
}

main() {
    use_go || die "no Go $go_needed; run scripts/setup"
    have_cxx || die "no C++ compiler; run scripts/setup"
    find_libtorch || die "libtorch is missing; run scripts/setup"
    temp=$(mktemp -d)
    trap 'rm -rf "$temp"' EXIT
    include=(-I "$here/cgotorch" -isystem "$torch_dir/include" -isystem "$torch_dir/include/torch/csrc/api/include")
    case ${1:-} in
    '') sanitize ;;
    --valgrind) memcheck ;;
    --help | -h) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

# Compiles the CPU part with flags into a library.
build() { # LIBRARY FLAG...
    local library=$1 source failed='' flags extra kernel=()
    shift
    flags=(-std="$cxx_standard" -fPIC -fvisibility=hidden -g -fno-omit-frame-pointer "$@" "${include[@]}")
    mkdir "$temp/pch"
    cp "$here/cgotorch/pch.h" "$temp/pch/"
    "$cxx" "${flags[@]}" -x c++-header "$temp/pch/pch.h" -o "$temp/pch/pch.h.gch"
    while read -r source; do
        case ${source##*/} in
        cuda*) continue ;;
        esac
        while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do
            wait -n || failed=1
        done
        if kernel_flags "$source"; then
            extra=("${kernel[@]}")
        else
            extra=(-include "$temp/pch/pch.h")
        fi
        "$cxx" "${flags[@]}" "${extra[@]}" -c "$source" -o "$temp/$(basename "$source").o" &
    done < <(cxx_sources "$here/cgotorch")
    while [ -n "$(jobs -p)" ]; do
        wait -n || failed=1
    done
    [ -z "$failed" ] || die "the C++ part does not compile; the compiler's messages are above"
    "$cxx" -shared -o "$library" "$@" "$temp"/*.cc.o "$torch_dir/lib/libtorch_cpu.so" "$torch_dir/lib/libc10.so"
}

sanitize() {
    # vptr would need libtorch's type information, which is partly hidden.
    say "building the C++ part with sanitizers"
    build "$temp/libcgotorch.so" -O1 -fsanitize=address -fsanitize=undefined -fno-sanitize=vptr -fno-sanitize-recover=all
    local runtime
    runtime="$("$cxx" -print-file-name=libasan.so):$("$cxx" -print-file-name=libubsan.so)"

    local package name
    for package in . ./nn ./nn/functional ./nn/initializer; do
        name=$(basename "$package" | tr . g).test
        (cd "$here" && go test -c -o "$temp/$name" "$package")
        say "testing $package"
        # The test binary finds libcgotorch.so beside itself before any other.
        # Go's heap lies in what ASan calls the shadow gap.
        (cd "$here/$package" && LD_PRELOAD=$runtime \
            ASAN_OPTIONS=detect_leaks=0:protect_shadow_gap=0:detect_container_overflow=0:alloc_dealloc_mismatch=0:detect_odr_violation=0:handle_segv=0:use_sigaltstack=0:abort_on_error=1 \
            UBSAN_OPTIONS=print_stacktrace=1 \
            "$temp/$name" -test.timeout 20m)
    done
    say "clean"
}

memcheck() {
    command -v valgrind >/dev/null || die "valgrind is missing: apt-get install valgrind"
    say "building the C++ part for valgrind"
    build "$temp/libcgotorch.so" -O1
    "$cxx" -std="$cxx_standard" -g -O1 -I "$here/cgotorch" "$here/cgotorch/check/leaks.cpp" -o "$temp/leaks" \
        "$temp/libcgotorch.so" "$torch_dir/lib/libtorch_cpu.so" "$torch_dir/lib/libc10.so" \
        -Wl,-rpath,"$temp:$torch_dir/lib" -Wl,--no-as-needed
    # Losses that the loader or libtorch itself cause carry none of our frames.
    say "running valgrind: minutes"
    LD_LIBRARY_PATH=$torch_dir/lib OMP_NUM_THREADS=1 valgrind --leak-check=full --show-leak-kinds=definite --error-exitcode=0 --num-callers=40 \
        --log-file="$temp/log" "$temp/leaks"
    if awk '/definitely lost in loss record/ {block = ""; on = 1} on {block = block "\n" $0} on && /^==[0-9]+== *$/ {if (block ~ /libcgotorch|gt_[a-z_]+ \(|leaks\.cpp/) print block; on = 0}' \
        "$temp/log" | grep .; then
        die "memory of ours is lost; see above"
    fi
    grep -E 'definitely lost:|no leaks are possible|in use at exit' "$temp/log" >&2 || true
    say "no definite leak of ours"
}

main "$@"
