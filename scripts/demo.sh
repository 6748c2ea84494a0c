#!/usr/bin/env bash
# Builds the program and lets it demonstrate itself: three SSH servers on loopback, the server, a real MCP client.
# Needs no configuration and no sshd; leaves nothing running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. scripts/env.sh

# npm writes this file last, so it is newer than the lock file exactly when the installation is current.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  npm install --no-audit --no-fund --loglevel=error
fi
npm run build --silent
exec node dist/mcp-ssh-orchestrator.mjs demo "$@"
