#!/usr/bin/env bash
# Sends what docs/openapi.yaml allows and forbids to the stack that the environment names, as a storefront of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/venv.sh .local/schemathesis scripts/schemathesis/requirements.txt
claims='{"tenant":"contract","sub":"schemathesis","scope":"orders:read orders:write orders:admin"}'
TOKEN=$(curl -sf "$PARTNERS_URL/token" -H "Content-Type: application/json" -d "$claims" | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
export TOKEN
exec .local/schemathesis/bin/schemathesis --config-file scripts/schemathesis/schemathesis.toml run docs/openapi.yaml --url "$API_URL"
