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

section "OpenSSH server, shells and sudo (for the end-to-end tests)"
# sbin is not on everybody's PATH.
find_tool() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin:/sbin" command -v "$1"
}
missing=()
# Program and Debian package.
while read -r program package; do
  find_tool "$program" || missing+=("$package")
done << 'EOF_TOOLS'
sshd openssh-server
sudo sudo
zsh zsh
fish fish
tcsh tcsh
ksh ksh
busybox busybox
unshare util-linux
mount mount
ps procps
EOF_TOOLS
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
    echo "installing ${missing[*]}"
    apt-get update -qq
    # Only the programs are wanted: no service is to be started on this machine.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
  else
    echo "missing: ${missing[*]}. Install with: sudo apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
fi
if [ "$(id -u)" -ne 0 ] || ! unshare --mount true 2> /dev/null; then
  echo "the end-to-end tests with accounts of their own need root and the right to unshare(1) mounts; they will fail here" >&2
fi

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

section "Simulation (500 seeds)"
node dist/mcp-ssh-orchestrator.mjs simulate --runs 500

section "Unit and property tests"
npm test --silent

section "End-to-end tests"
npm run test:e2e --silent

printf '\nscripts/test.sh: all checks passed\n'
