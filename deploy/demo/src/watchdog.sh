# Runs a program and ends it when it is told to, or when the process that started it is gone,
# however that process ended.
#
# Usage: sh -c "$(cat watchdog.sh)" watchdog PROGRAM ARGUMENT…, as leader of its process group.
# Standard input is a pipe held by the owner: each line is the name of a signal for the program;
# end of file means that the owner is gone. Ends as the program ends.
exec 3<&0 </dev/null

"$@" 3<&- &
program=$!

(
    while read -r signal <&3; do kill -s "$signal" "$program"; done
    kill -s KILL "$program"
) &
reader=$!

wait "$program"
code=$?
kill -s KILL "$reader" 2>/dev/null
exit "$code"
