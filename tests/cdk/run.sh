#!/usr/bin/env bash
# Runs patched manifests in the real Airbyte CDK. Installs it into target/test-venv first, if it is not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=target/test-venv
if ! "$venv/bin/python" -c 'import airbyte_cdk' 2>/dev/null; then
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check airbyte-cdk==7.39.1
fi
DROGUE_TEST_PYTHON=$PWD/$venv/bin/python cargo test --test it patched_manifests_run_in_the_real_cdk -- --nocapture
