#!/bin/sh
# Yours: brings the model to where it serves. `mlx ci init` wrote this once and never changes it.
#   $1        the folder or file that `mlx model fetch` wrote
#   MODEL VERSION STAGE      as in census, v1.3.0, prod
# The workflow `deploy` calls it when the gate has passed and the environment was approved.
set -eu
echo "nothing deploys $MODEL $VERSION to $STAGE yet: fill in .github/deploy.sh" >&2
exit 1
