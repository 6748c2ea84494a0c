#!/usr/bin/env bash
# Every check of the project, from a fresh clone, stopping at the first that fails. Takes no arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

section() {
  printf '\n== %s ==\n' "$1"
}

section "Node"
. scripts/env.sh
node --version

section "Dependencies"
# npm writes this file last, so it is newer than the lock file exactly when the installation is current.
if [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "current"
else
  npm install --no-audit --no-fund --loglevel=error
fi

section "OpenSSH server (for the end-to-end tests)"
# sshd must be named by an absolute path to be started, and sbin is not on everybody's PATH.
find_sshd() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v sshd
}
if ! find_sshd > /dev/null; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
    echo "installing openssh-server"
    apt-get update -qq
    # Only the program is wanted: no service is to be started on this machine.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends openssh-server > /dev/null
  else
    echo "sshd is missing. Install it with: sudo apt-get install -y openssh-server" >&2
    exit 1
  fi
fi
find_sshd

section "Types"
npm run check --silent

section "Effect diagnostics"
npm run effect --silent

section "Lint and import rules"
npm run lint --silent

section "Format"
npm run format:check --silent

section "Build"
npm run build --silent

section "Unit and property tests"
npm test --silent

section "End-to-end tests"
npm run test:e2e --silent

printf '\nscripts/test.sh: all checks passed\n'
