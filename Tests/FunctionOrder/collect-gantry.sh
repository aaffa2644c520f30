#!/bin/sh
# collect-gantry.sh FUNCTION-ORDER GANTRY ROOTFS-TAR: prints gantry's functions in the order of their first call: of a
# daemon, and of commands beside it. GANTRY has its symbols and its two programs beside it; root.
# ROOTFS-TAR has a busybox with sh, true and sleep. For functions.order:
#   GANTRY_SYMBOLS=1 swift build -c release
#   sh Tests/FunctionOrder/collect-gantry.sh .build/release/function-order .build/release/gantry rootfs.tar \
#     > Sources/App/gantry/functions.order
set -eu
order=$1 program=$2 tar=$3
work=$(mktemp -d /tmp/gantry-order-XXXXXX)
root=$work/root
gantry() { "$program" --root "$root" "$@" </dev/null >/dev/null 2>&1; }
trap 'gantry rm -f order || true; rm -rf "$work"' EXIT
# Functions alone: a table among them would not be read as it is.
readelf -sW "$program" | awk '$4 == "FUNC" && $7 != "UND" && $3 != "0" { print $2 " t " $8 }' | sort -u >"$work/symbols"
number=10
trace() {
    number=$((number + 1))
    timeout 60 "$order" "$work/symbols" "$program" --root "$root" "$@" \
        </dev/null 2>/dev/null >"$work/$number.names" || true
}

"$order" "$work/symbols" "$program" --root "$root" daemon </dev/null 2>/dev/null >"$work/10.names" & daemon=$!
until [ -S "$root/run/gantry.sock" ]; do sleep 0.1; done
trace version
trace import "$tar" order:latest
trace ps -a
trace run -d --name order --network none order:latest /bin/sleep 1000
trace run --rm --network none order:latest /bin/true
trace exec order /bin/true
trace logs order
trace inspect order
trace images
trace stats --no-stream
for target in _ping version info containers/json containers/order/json "containers/order/logs?stdout=1"; do
    curl -s --unix-socket "$root/run/gantry.sock" "http://d/$target" >/dev/null
done
trace stop -t 0 order
trace start order
trace rm -f order
kill "$(pgrep -P "$daemon")"
wait "$daemon" || true
cat "$work"/*.names | grep -v '[^A-Za-z0-9_.$@]' | awk 'NF == 1 && !seen[$0]++'
