#!/usr/bin/env bash
# minion-launch ssh --host node1 --host node2 -n 2 --name minions --directory /home/you/sweep -- minionize --slots auto ./a.out

# For node1 node2: to be run on each.

cd -- /home/you/sweep || exit 2

state=${XDG_STATE_HOME:-$HOME/.local/state}/minionize/launch/minions/$(uname -n)
# When a process started tells it apart from a later one with its pid. Nothing for one that has ended.
began() { sed -n 's/^.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }
lives() { [ -f "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$start" = "$(began "$pid")" ]; }

umask 077
mkdir -p "$state" || exit 2
started=()
for number in {1..2}; do
    file=$state/$number.pid
    if lives "$file"; then
        echo "$(uname -n): minion $number runs already, pid $pid"
        continue
    fi
    setsid minionize --slots auto ./a.out </dev/null >>"$state/$number.log" 2>&1 &
    pid=$!
    echo "$pid $(began "$pid")" >"$file"
    started+=("$number $pid")
    echo "$(uname -n): minion $number started, pid $pid, log $state/$number.log"
done

# One that cannot work leaves within seconds, however slow the disk is that it comes from.
any_lives() { for each in "${started[@]}"; do if lives "$state/${each%% *}.pid"; then return 0; fi; done; return 1; }
for _ in {1..30}; do
    if any_lives; then sleep 0.1; fi
done
failed=0
for each in "${started[@]}"; do
    read -r number pid <<<"$each"
    if lives "$state/$number.pid"; then continue; fi
    wait "$pid"
    code=$?
    case $code in 2 | 3 | 4 | 126 | 127)
        failed=1
        echo "$(uname -n): minion $number has left at once (exit code $code), log $state/$number.log:" >&2
        tail -n 3 -- "$state/$number.log" >&2
        ;;
    esac
done
exit "$failed"
