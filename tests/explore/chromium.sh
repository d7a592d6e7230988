#!/usr/bin/env bash
# Debian's chromium, for the tests of the interactive page. As root.
set -euo pipefail
command -v chromium >/dev/null && exit 0
apt-get update
apt-get install -y --no-install-recommends chromium
