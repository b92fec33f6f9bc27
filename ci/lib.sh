# shellcheck shell=bash
# What the scripts in ci/ share: where the repository is, and steps that run one command each with a
# time limit, their output in a log file, and progress on the terminal. To be sourced.

repository=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$repository" || exit 1
logs=$repository/build/logs
jobs=$(nproc)
export CTEST_PARALLEL_LEVEL=$jobs
# A tool of the project is Debian's, whatever else the caller has put first.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
unset PYTHONPATH PYTHONHOME

step_names=() step_results=() step_seconds=()

# note_step NAME RESULT SECONDS: a line of the summary.
note_step() { step_names+=("$1") step_results+=("$2") step_seconds+=("$3"); }

# log_of NAME: the file that holds the output of the step with that name.
log_of() { printf '%s/%s.log' "$logs" "${1//[^A-Za-z0-9._-]/-}"; }

# Shows that the step lives: its last line on a terminal, a line every half minute elsewhere.
# Runs until it is killed, and takes its own sleep along.
show_progress() {
    local name=$1 log=$2 since=$3 line interval_s=30 format='  %s, %d s: %.100s\n'
    if [[ -t 1 ]]; then
        interval_s=1 format='\r\033[K%s, %d s: %.70s'
    fi
    trap 'kill $!; exit' TERM
    while true; do
        sleep "$interval_s" &
        wait $!
        line=$(tail -c 400 "$log" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1)
        # shellcheck disable=SC2059  # one of the two formats above
        printf "$format" "$name" $((SECONDS - since)) "$line"
    done
}

# step NAME LIMIT_S COMMAND...: runs the command, says how it went, returns its exit status.
# The tail of the log is shown when it fails. It is killed with its children after LIMIT_S seconds.
# A step inside another step only runs its command: log, limit and progress are the outer one's.
step() {
    if [[ -n ${WWEP_INSIDE_STEP:-} ]]; then
        printf '== %s\n' "$1"
        "${@:3}" </dev/null
        return
    fi
    local name=$1 limit_s=$2 since=$SECONDS log status=0 progress command result
    shift 2
    mkdir -p "$logs"
    log=$(log_of "$name")
    : >"$log"
    [[ -t 1 ]] || printf '%s ...\n' "$name"
    show_progress "$name" "$log" "$since" &
    progress=$!
    # timeout makes a process group of its own, which Ctrl-C does not reach: who ends this script has
    # it ended. It runs in the background, because a trap waits for what runs in the foreground.
    WWEP_INSIDE_STEP=yes timeout --kill-after=10 "$limit_s" "$@" >"$log" 2>&1 </dev/null &
    command=$!
    # shellcheck disable=SC2064  # these two processes, whatever the variables hold by then
    trap "kill $command $progress; wait $command; exit 130" INT TERM HUP
    wait "$command" || status=$?
    trap - INT TERM HUP
    kill "$progress" 2>/dev/null || true
    wait "$progress" 2>/dev/null || true
    [[ ! -t 1 ]] || printf '\r\033[K'

    local seconds=$((SECONDS - since))
    case $status in
    0) result=ok ;;
    124 | 137) result="no end after $limit_s s" ;;
    *) result="failed ($status)" ;;
    esac
    note_step "$name" "$result" "$seconds"
    if ((status != 0)); then
        tail -n 40 "$log" | sed 's/^/  | /'
        printf '  the whole output is in %s\n' "$log"
    fi
    printf '%-28s %5d s  %s\n' "$name" "$seconds" "$result"
    return "$status"
}
