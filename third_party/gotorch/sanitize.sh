#!/usr/bin/env bash
# Runs the binding's tests on a C++ part that is built with AddressSanitizer
# and UndefinedBehaviorSanitizer (nothing is recovered from); with --threads a
# program without Go and the C++ part with ThreadSanitizer; and, with --valgrind,
# looks for memory that the C++ part loses.
#
# What the sanitizers see is our own code and what it is given: libtorch is not
# instrumented, so the checks that need all code to be are off. Leaks are not
# looked for by AddressSanitizer, which cannot see what Go's memory points to;
# valgrind's memcheck does that on a C++ program without Go (cgotorch/check).
# Go and ThreadSanitizer do not go together either.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$here/../../scripts/lib.sh"

usage() {
    cat <<'USAGE'
Usage: third_party/gotorch/sanitize.sh [--threads | --valgrind]

  --threads   data races of the C++ part
  --valgrind  memcheck only: definite leaks of the C++ part
USAGE
}

main() {
    use_go || die "no Go $go_needed; run scripts/setup"
    have_cxx || die "no C++ compiler; run scripts/setup"
    find_libtorch || die "libtorch is missing; run scripts/setup"
    temp=$(mktemp -d)
    trap 'rm -rf "$temp"' EXIT
    case ${1:-} in
    '') sanitize ;;
    --threads) races ;;
    --valgrind) memcheck ;;
    --help | -h) usage ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

# Compiles a program of cgotorch/check that calls the library in the temporary folder.
program() { # NAME FLAG...
    local name=$1
    shift
    "$cxx" -std="$cxx_standard" -g -O1 "$@" -I "$here/cgotorch" "$here/cgotorch/check/$name.cpp" -o "$temp/$name" \
        "$temp/libcgotorch.so" "$torch_dir/lib/libtorch_cpu.so" "$torch_dir/lib/libc10.so" \
        -Wl,-rpath,"$temp:$torch_dir/lib" -Wl,--no-as-needed
}

sanitize() {
    "$root/scripts/build" --checked address "$temp"
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

# The program has libgomp's functions itself: it must be asked before the library.
races() {
    "$root/scripts/build" --checked thread "$temp"
    program threads -fsanitize=thread -rdynamic
    # A flag of libtorch's, inline in its headers, that all who use a parameter set to true; and
    # oneDNN's cache of primitives, whose order is by atomics that the sanitizer does not see.
    printf 'race:%s\n' torch::autograd::Node::topological_nr dnnl:: >"$temp/known"
    say "running threads"
    LD_LIBRARY_PATH=$torch_dir/lib TSAN_OPTIONS="exitcode=66:suppressions='$temp/known'" "$temp/threads" ||
        die "see above"
    say "no race"
}

memcheck() {
    command -v valgrind >/dev/null || die "valgrind is missing: apt-get install valgrind"
    "$root/scripts/build" --checked plain "$temp"
    program leaks
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
