#!/bin/sh
# Yours to fill in: deploys the model. `mlx ci init` wrote this file once and never changes it.
#   $1        the folder or file that `mlx model fetch` wrote
#   MODEL, VERSION, STAGE    such as census, v1.3.0, prod; and the secrets of --deploy-secret
# The workflow `deploy` calls it when the gate has passed and the environment was approved.
set -eu
echo "nothing deploys $MODEL $VERSION to $STAGE yet: fill in .github/deploy@OF@.sh" >&2
exit 1
