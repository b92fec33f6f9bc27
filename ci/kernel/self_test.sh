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
    cp "$good/modules.asked" "$1/"
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
    mkdir -p "$cache/apt-$kernel_suite" "$cache/kernel-1.1-known"
    ln -s "$good" "$cache/kernel-1.0-old"
    echo "did not boot" >"$cache/kernel-1.1-known/bad"
    echo 1.0-old >"$cache/kernel-good"
    echo 1.1-known >"$cache/kernel-newest"
    touch -d '2 days ago' "$cache/kernel-newest"
    echo "deb http://127.0.0.1:9/debian $kernel_suite main" >"$cache/apt-$kernel_suite/sources.list"
    find_kernel >"$work/said" 2>&1
    expect_text "WARNING: the newest kernel of $kernel_suite cannot be had (the newest known is \
1.1-known); using 1.0-old" && [[ $kernel == */kernel-1.0-old ]]
}

# A kernel that was unpacked before another module was wanted is fetched anew.
test_new_module() {
    local cache=$work/cache-module
    mkdir -p "$cache/kernel-1.0-old"
    ln -s "$kernel/vmlinux" "$cache/kernel-1.0-old/vmlinux"
    ! is_unpacked 1.0-old || return
    echo "${kernel_modules[*]:1}" >"$cache/kernel-1.0-old/modules.asked"
    ! is_unpacked 1.0-old || return
    cp "$kernel/modules.asked" "$cache/kernel-1.0-old/"
    is_unpacked 1.0-old && say "self-test: ok: a kernel that lacks a module that is wanted is known"
}

test_download_that_fails() {
    local cache=$work/cache-download good=$kernel
    mkdir "$cache"
    ln -s "$good" "$cache/kernel-1.0-old"
    echo 1.0-old | tee "$cache/kernel-good" >"$cache/kernel-newest"
    # shellcheck disable=SC2317  # called by find_kernel
    (
        fetch_kernel() { version_wanted=2.0-new && return 1; }
        find_kernel
    ) >"$work/said" 2>&1
    expect_text "WARNING: kernel 2.0-new cannot be had (the newest known is 1.0-old); using 1.0-old"
}

# Has the deadline of the machine come as soon as the scenario in it has: SIGALRM is how timeout(1)
# learns of that. Waits no longer than the deadline itself.
end_soon() {
    local tries
    for ((tries = 0; tries < timeout_s * 5; ++tries)); do
        sleep 0.2
        if [[ -e $results/share/recordings/twice ]]; then
            sleep 2
            pkill -ALRM -P $$ -x timeout
            return
        fi
    done
}

# test_brought_back WORD STATUS TROUBLE LAST_ACT TEXT FILE: whatever ends a scenario after its press,
# its recording is there, a JUnit file with the trouble, and the text in console or output.
test_brought_back() {
    local word=$1 wanted=$2 trouble=$3 timeout_s=330 status=0 junit=$work/$1.xml
    local with_scenarios=yes scenarios=$work/$1-scenarios presses
    local -a programs=()
    mkdir "$scenarios"
    cat >"$scenarios/test_end.py" <<EOF
import os
import signal
import time
from pathlib import Path

def test_end(bench, recording):
    bench.press("button0", timeout_s=60.0)
    # The copy that has the second of these began when the first was there.
    for name in ("once", "twice"):
        Path("/run/recordings", name).touch()
        while not Path("/run/share/recordings", name).exists():
            time.sleep(0.1)
    $4
    time.sleep(3600)
EOF
    if [[ $word == hang ]]; then
        end_soon &
    fi
    run "$(tests_job)" >"$work/said" || status=$?
    write_junit "$status"
    presses=$(/usr/bin/python3 - "$results"/share/recordings/*.sqlite <<'EOF'
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("select count(*) from presses").fetchone()[0])
EOF
    )
    if ((status != wanted)) || ! grep -qF "$trouble" "$junit" || [[ $presses != 1 ]] ||
        ! grep -qF "$5" "$results/$6"; then
        sed 's/^/  | /' "$work/said"
        say "self-test: $word: exit status $status, $presses presses recorded, and the above; expected" \
            "status $wanted, 1 press, \"$trouble\" in $(<"$junit") and \"$5\" in $results/$6"
        return 1
    fi
    say "self-test: ok: what is there after a $word: recording, JUnit file, $6"
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
    test_new_module || failed=1
    test_download_that_fails || failed=1
    prepare_scenarios
    # Who would end the scenario in time stands still as well.
    test_brought_back hang 124 "no end after 330 s" "os.kill(os.getppid(), signal.SIGSTOP)" \
        "test_end.py::test_end" output || failed=1
    test_brought_back panic 126 "it died" 'Path("/proc/sysrq-trigger").write_text("c")' \
        "sysrq triggered crash" console || failed=1
    test_other_architecture || failed=1
    return "$failed"
}
