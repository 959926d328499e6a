#!/usr/bin/env bash
# `cargo lambda watch` against the stack of `make run`: edit, save, call http://127.0.0.1:9000/orders.
set -eu
env_file=.local/stack.env
[ -f "$env_file" ] || { echo "error: no stack; run \`make run\` first" >&2; exit 1; }
# shellcheck source=/dev/null
source "$env_file"
curl --silent --fail --output /dev/null "$API_URL/health" || { echo "error: the stack is down; run \`make run\`" >&2; exit 1; }
export CURSOR_SECRET=local RETENTION_DAYS=30 CUSTOMER_SERVICE_URL="$PARTNERS_URL" INVENTORY_SERVICE_URL="$PARTNERS_URL"
export LOCAL_CALLER='{"tenant":"demo","sub":"you","scope":"orders:read orders:write"}'
echo "==> http://127.0.0.1:${WATCH_PORT:-9000}/orders (tenant demo, no token needed)" >&2
exec cargo lambda watch --invoke-address 127.0.0.1 --invoke-port "${WATCH_PORT:-9000}"
