# Runs one PostgreSQL server and ends it when it is told to, or when the process that started it is
# gone, however that process ended.
#
# Usage: sh -c "$(cat watchdog.sh)" watchdog COMMAND…, as leader of its process group.
# Standard input is a pipe held by the owner: each line is the name of a signal for the server
# (INT, KILL); end of file means that the owner is gone, and then the folder goes as well.
# HOME is the private folder.
exec 3<&0 </dev/null

"$@" 3<&- &
server=$!

# its processes lead sessions of their own, and with SIGKILL it cannot end them itself
end() {
    children=$(cat "/proc/$server/task/$server/children" 2>/dev/null)
    kill -s "$1" "$server"
    if [ "$1" = KILL ]; then
        for child in $children; do kill -s KILL "$child" 2>/dev/null; done
    fi
}

(
    while read -r signal <&3; do end "$signal"; done
    : >"$HOME/abandoned"
    end KILL
) &
reader=$!

wait "$server"
if [ -e "$HOME/abandoned" ]; then rm -rf -- "$HOME"; fi
kill -s KILL "$reader" 2>/dev/null
wait
