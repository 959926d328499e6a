#!/usr/bin/env bash
# Checks the templates as written, and the service's as SAM hands it to CloudFormation.
set -euo pipefail
cd "$(dirname "$0")/.."
export AWS_DEFAULT_REGION=us-east-1
for template in template.yaml examples/consumer/template.yaml; do
  sam validate --lint --template "$template"
done
scripts/venv.sh .local/checkov scripts/checkov/requirements.txt
transformed=.local/transformed.json
python scripts/transformed.py template.yaml > "$transformed"
# W3037: the emulator knows batches by action names of their own, which AWS passes over.
python scripts/check_operations.py "$transformed"
cfn-lint --ignore-checks W3037 --regions us-east-1 -- "$transformed"
.local/checkov/bin/python .local/checkov/bin/checkov --config-file scripts/checkov/config.yaml --file "$transformed"
