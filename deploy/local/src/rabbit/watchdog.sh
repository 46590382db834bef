# Runs one RabbitMQ node with its own port mapper (epmd) and ends both when it is told to,
# or when the process that started it is gone, however that process ended.
#
# Usage: sh -c "$(cat watchdog.sh)" watchdog EPMD RABBITMQ_SERVER, as leader of its process group.
# Standard input is a pipe held by the owner: each line is the name of a signal for the node
# (TERM, KILL); end of file means that the owner is gone, and then the folder goes as well.
# HOME is the private folder, ERL_EPMD_PORT the port mapper's port.
exec 3<&0 </dev/null

"$1" -port "$ERL_EPMD_PORT" -address 127.0.0.1 3<&- &
epmd=$!

(
    # a node that finds no port mapper starts one that outlives it: wait for ours
    until timeout 1 "$1" -port "$ERL_EPMD_PORT" -names >/dev/null 2>&1; do
        kill -0 "$epmd" 2>/dev/null || { echo "epmd did not start: eaddrinuse"; exit 1; }
        sleep 0.02
    done
    exec "$2"
) 3<&- &
node=$!

(
    while read -r signal <&3; do kill -s "$signal" "$node"; done
    : >"$HOME/abandoned"
    kill -s KILL "$node"
) &
reader=$!

wait "$node"
if [ -e "$HOME/abandoned" ]; then rm -rf -- "$HOME"; fi
# reaped here, for in a container nobody else may do it
kill -s KILL "$epmd" "$reader" 2>/dev/null
wait
kill -s KILL -- "-$$"
