#!/bin/sh
# collect.sh FUNCTION-ORDER PROGRAM BUNDLE...: prints the runtime's functions in the order of their first call, over a
# container's whole life. PROGRAM has its symbols; root. For functions.order:
#   GANTRY_SYMBOLS=1 swift build -c release
#   sh Tests/FunctionOrder/collect.sh .build/release/function-order .build/release/gantry-runtime BUNDLE... \
#     > Sources/Runtime/gantry-runtime/functions.order
set -eu
order=$1 program=$2
shift 2
work=$(mktemp -d /tmp/gantry-order-XXXXXX)
trap '"$program" --root "$work/state" delete --force o >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
nm -n --defined-only "$program" >"$work/symbols"
trace() { "$order" "$work/symbols" "$program" --root "$work/state" "$@" 2>/dev/null </dev/null; }
one() { n=$1; shift; trace "$@" >"$work/$n.names" || true; }

for bundle; do
    number=$((${number:-0} + 1))
    # First what most of all do, which is together then.
    one ${number}0 run --bundle "$bundle" o
    one ${number}1 state o
    # The container's first process is traced on until it becomes its program: so create ends after start and delete.
    trace create --bundle "$bundle" --pid-file "$work/pid" o >"$work/${number}2.names" & create=$!
    until "$program" --root "$work/state" state o 2>/dev/null | grep -q '"created"'; do sleep 0.1; done
    one ${number}3 state o
    # Into a container that waits as into one that runs.
    one ${number}4 exec o /bin/true
    one ${number}5 start o
    one ${number}6 delete --force o
    wait $create || true
done
# Above, output that is no list of names: what the commands print.
cat "$work"/*.names | grep -v '[^A-Za-z0-9_.$@]' | awk '!seen[$0]++'
