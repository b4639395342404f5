# Sourced by the scripts beside it: goes to the root of the tree, and runs named, timed steps.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
exec </dev/null # Nothing here asks questions; what would, fails at once.

script="ci/$(basename "$0")"

fail() {
  echo "$script: $*" >&2
  exit 1
}

# step NAME COMMAND...: the command's output, then how long it took; one clear line when it fails.
step() {
  local name=$1 begin=$SECONDS status=0
  shift
  echo "==> $name"
  "$@" || status=$?
  [ "$status" -eq 0 ] || fail "\"$name\" failed (exit code $status): $*"
  echo "    $((SECONDS - begin)) s"
}
