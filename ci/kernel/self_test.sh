# shellcheck shell=bash disable=SC2034,SC2154
# What `ci/kernel-test --self-test` does: brings machines down in every way that they may go, and
# looks at what is made of it. To be sourced by it; uses its functions, its `kernel` and `work`.
# What it shares with ci/kernel-test, each file checked by itself cannot know.
: "${work:?a folder to work in}"

# A machine that a self-test's command brings down, and what must come of it.
expect() {
    local wanted=$1 limit_s=$2 text=$3 status=0
    boot "$kernel" "$limit_s" "$4" >"$work/said" || status=$?
    if ((status != wanted)) || ! grep -q -- "$text" "$work/said"; then
        sed 's/^/  | /' "$work/said"
        say "self-test: $4: exit status $status and the above; expected $wanted and \"$text\""
        return 1
    fi
    say "self-test: ok: ${4##*$'\n'}"
}

# A kernel whose modules are missing dies on its way to the job.
make_broken_kernel() {
    local good=${good:-$kernel}
    mkdir -p "$1/modules"
    ln -s "$good/vmlinux" "$1/vmlinux"
    cp "$good/modules/gpio-sim.ko" "$1/modules/"
}

expect_text() {
    if ! grep -qF -- "$1" "$work/said"; then
        sed 's/^/  | /' "$work/said"
        say "self-test: the above has no \"$1\""
        return 1
    fi
    say "self-test: ok: $1"
}

test_second_boot() {
    make_broken_kernel "$work/broken"
    local kernel=$work/broken timeout_s=60 status=0
    run true >"$work/said" || status=$?
    expect_text "died before the job began; booting it once more" && ((status == 126)) &&
        [[ $(grep -c "left no exit status" "$work/said") == 2 ]]
}

test_fallback() {
    local cache=$work/cache boot_timeout_s=60 good=$kernel kernel
    mkdir "$cache"
    ln -s "$good" "$cache/kernel-1.0-old"
    make_broken_kernel "$cache/kernel-2.0-new"
    echo 1.0-old >"$cache/kernel-good"
    echo 2.0-new >"$cache/kernel-newest"
    find_kernel >"$work/said"
    expect_text "WARNING: kernel 2.0-new does not boot here; using 1.0-old, the last that did" &&
        [[ $kernel == */kernel-1.0-old && -s $cache/kernel-2.0-new/bad ]]
}

test_unreachable_mirror() {
    local cache=$work/cache-offline good=$kernel kernel version_wanted=''
    mkdir -p "$cache/apt-$kernel_suite"
    ln -s "$good" "$cache/kernel-1.0-old"
    echo 1.0-old | tee "$cache/kernel-good" >"$cache/kernel-newest"
    touch -d '2 days ago' "$cache/kernel-newest"
    echo "deb http://127.0.0.1:9/debian $kernel_suite main" >"$cache/apt-$kernel_suite/sources.list"
    find_kernel >"$work/said" 2>&1
    expect_text "going on with what the cache holds: 1.0-old" && [[ $kernel == */kernel-1.0-old ]]
}

test_other_architecture() {
    # shellcheck disable=SC2317  # called by the script that it is exported to
    (
        dpkg() { echo arm64; }
        export -f dpkg
        ci/kernel-test >"$work/said" 2>&1
    ) || return
    expect_text "SKIPPED: the virtual machine needs an amd64 host, this is arm64"
}

self_test() {
    local failed=0
    expect 3 60 "last words" "echo last words; exit 3" || failed=1
    expect 124 25 "no end after 25 s" "echo I hang; sleep 1000" || failed=1
    expect 126 60 "sysrq triggered crash" "echo c >/proc/sysrq-trigger" || failed=1
    expect 126 60 "the virtual machine died" "$share_in_guest/busybox poweroff -f" || failed=1
    expect 0 60 "rig-lines" "$(wired_job 'gpiodetect')" || failed=1
    test_second_boot || failed=1
    test_fallback || failed=1
    test_unreachable_mirror || failed=1
    test_other_architecture || failed=1
    return "$failed"
}
