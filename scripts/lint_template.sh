#!/usr/bin/env bash
# Checks the templates as written, and the service's as SAM hands it to CloudFormation.
set -euo pipefail
cd "$(dirname "$0")/.."
export AWS_DEFAULT_REGION=us-east-1
for template in template.yaml examples/consumer/template.yaml; do
  sam validate --lint --template "$template"
done
scripts/venv.sh .local/checkov scripts/checkov/requirements.txt
python scripts/check_parameters.py template.yaml docs/deploy.md
# As it is deployed to AWS, and as it is deployed to an emulator, which knows no CodeDeploy.
for gradual in true false; do
  transformed=".local/transformed-$gradual.json"
  python scripts/transformed.py template.yaml "GradualDeployment=$gradual" > "$transformed"
  python scripts/check_operations.py "$transformed"
  # W3037: the emulator knows batches by action names of their own, which AWS passes over. W2001: SAM has written out the
  # parameters of gradual deployment by then; check_parameters.py looks for parameters that are not used.
  cfn-lint --ignore-checks W3037 W2001 --regions us-east-1 -- "$transformed"
  .local/checkov/bin/python .local/checkov/bin/checkov --config-file scripts/checkov/config.yaml --file "$transformed"
done
