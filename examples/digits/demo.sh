#!/bin/bash
# The digits example on a cluster of three nodes, n1 to n3, that lives as long as this script:
# examples/digits/demo.sh PROGRAMS [option of the digits program...]
# PROGRAMS is the folder of the built programs. Each node is a process of its own with a folder of
# its own; however the script ends, its processes and its temporary folder end with it.
set -uo pipefail

programs=$(cd "${1:?usage: demo.sh PROGRAMS [option...]}" && pwd) || exit 2
shift
cd "$(dirname "$0")/../.." || exit 2
devices=2
folder=$(mktemp -d "${TMPDIR:-/tmp}/fastgpu-demo.XXXXXX")
chmod 711 "$folder"  # commands, of users of their own where this is root's, pass through
children=()

is_alive() { kill -0 -- "$1" 2>/dev/null; }

# Ends what this script has started, and nothing else: asks first, insists after ten seconds. Each
# child leads a process group, so that a node's executors are reached through it.
clean_up() {
  trap '' INT TERM HUP
  local child tries
  for child in "${children[@]}"; do
    kill -TERM "$child" 2>/dev/null
  done
  for child in "${children[@]}"; do
    for ((tries = 0; tries < 100; ++tries)); do
      is_alive "-$child" || break
      sleep 0.1
    done
    kill -KILL -- "-$child" 2>/dev/null
    wait "$child" 2>/dev/null
  done
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 129' HUP
trap 'exit 143' TERM

fail() {
  echo "demo: $1" >&2
  tail -n 20 "$folder"/*.log >&2
  exit 1
}

# Starts a command in the background, as the leader of a process group, with its output in a log.
start() {
  local log=$1
  shift
  setsid "$@" >"$log" 2>&1 </dev/null &
  children+=($!)
}

wait_until_ready() {
  local tries
  for ((tries = 0; tries < 300; ++tries)); do
    grep -qs '^ready' "$folder/$1.log" && return
    is_alive "${children[-1]}" || fail "node $1 ended before it was ready"
    sleep 0.1
  done
  fail "node $1 is not ready after 30 s"
}

# Free ports, kept from others until this script ends: a bound socket that does not listen lets a
# node listen there, and its successor.
if [ -x /usr/bin/python3 ]; then
  coproc KEEPER {
    exec /usr/bin/python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(3)]
for s in sockets:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets], flush=True)
sys.stdin.read()'
  }
  read -r -a ports <&"${KEEPER[0]}"
else
  # Three at which nobody answers now: the best that can be had without Python.
  ports=()
  while [ "${#ports[@]}" -lt 3 ]; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ports+=("$port")
  done
fi
addresses=()
for port in "${ports[@]}"; do
  addresses+=("127.0.0.1:$port")
done

for number in 1 2 3; do
  name=n$number
  setting=(--dir "$folder/$name" --listen "${addresses[number - 1]}" --name "$name"
    --devices "$devices")
  if [ "$number" = 1 ]; then
    "$programs/fastgpu-node" init "${setting[@]}" >"$folder/$name.log" 2>&1 </dev/null
  else
    "$programs/fastgpu" --server "${addresses[0]}" node token -o id >"$folder/token" &&
      "$programs/fastgpu-node" join "${addresses[0]}" --token-file "$folder/token" \
      "${setting[@]}" >"$folder/$name.log" 2>&1 </dev/null
  fi || fail "node $name could not be set up"
  start "$folder/$name.log" "$programs/fastgpu-node" run --dir "$folder/$name"
  wait_until_ready "$name"
done
echo "three nodes are ready: n1 n2 n3, $devices devices each, at ${addresses[*]}"

servers=$(IFS=, && echo "${addresses[*]}")
setsid "$programs/digits" --server "$servers" "$@" </dev/null &
children=($! "${children[@]}")
wait "${children[0]}" || fail "the training failed; the nodes' last words are above"
