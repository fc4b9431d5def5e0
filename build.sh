#!/usr/bin/env bash
# Compiles build/Build when something that it is made of changed, then becomes it: arguments, exit status, stdin and
# signals are its own, and so is the directory where that is inside the repository; from elsewhere it runs at the root.
# Exit codes of its own: 1 it does not compile, 5 no SDK.
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD

out=build/bin           # ignored by git; compiled apart from bin/ and obj/ of the projects, so that tests can run meanwhile
stamp=$out/compiled     # names the folder to start; as old as the sources that it was compiled from

# Folders count too: a deleted file changes nothing else. The time of change, not of modification: a file may be replaced by
# an older one.
is_current() {
  [[ -f $stamp && -f $(<"$stamp")/Build.dll ]] &&
    [[ -z $(find build Directory.* global.json \( -name bin -o -name obj \) -prune -o -cnewer "$stamp" -print) ]]
}

require_sdk() {
  local wanted installed
  wanted=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json)
  if ! command -v dotnet >/dev/null; then
    installed='there is no dotnet on the PATH'
  elif dotnet --version >/dev/null 2>&1; then
    return
  else
    installed=$(dotnet --list-sdks 2>/dev/null | sed 's/ .*//' | paste -sd ' ' -)
    installed="installed: ${installed:-none}"
  fi
  echo "The .NET SDK $wanted or a later feature band of it is needed (global.json); $installed. Get it from https://dot.net/download." >&2
  exit 5
}

# Only one compiles; the others wait, and find it done. No child may inherit the lock: compiler servers live on.
lock() {
  mkdir -p "$out"
  if command -v flock >/dev/null; then
    exec 9>"$out/lock"
    flock 9
  else
    until mkdir "$out/lock.d" 2>/dev/null; do
      # Its owner may have been killed.
      local owner
      owner=$(cat "$out/lock.d/pid" 2>/dev/null || true)
      if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$out/lock.d"; else sleep 0.2; fi
    done
    echo $$ >"$out/lock.d/pid"
    trap 'rm -rf "$out/lock.d"' EXIT
  fi
}

unlock() {
  trap - EXIT INT
  rm -rf "$out/lock.d"
  exec 9>&-
}

compile() {
  local project folder
  [[ -t 2 ]] && echo 'Compiling build/Build...' >&2
  # Made before the mark, because they change the folder that they are in.
  for project in build/*/*.csproj; do mkdir -p "${project%/*}/bin" "${project%/*}/obj"; done
  # The compiler goes by the time of modification, so a file that was replaced by an older one must look new.
  [[ ! -f $stamp ]] || find build \( -name bin -o -name obj \) -prune -o -type f -cnewer "$stamp" ! -newer "$stamp" -exec touch {} +
  touch "$out/mark"
  # Matters of style are for the lint; they do not stand in the way of a deploy.
  if ! DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet build build/Build -c Release --artifacts-path "$out" \
    -v quiet -nologo -clp:NoSummary -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false \
    >"$out/compile.log" 2>&1 9>&- </dev/null; then
    cat "$out/compile.log" >&2
    echo 'build/Build does not compile.' >&2
    exit 1
  fi

  # A folder of its own each time: runs and the sandbox go on in the one that they were started from.
  folder=$out/hosts/$$-$(date +%s)
  mkdir -p "$out/hosts"
  remove_unused_hosts
  cp -R "$out/bin/Build/release" "$folder"
  echo "$folder" >"$out/mark.new"
  touch -r "$out/mark" "$out/mark.new"
  mv "$out/mark.new" "$stamp"
}

# A third of the time of a run that changes nothing would be the JIT's. Compiling ahead of time takes as long as compiling, so
# the next runs have it and this one does not wait. Where only one run follows, as in CI, there is nothing to gain.
compile_ahead() {
  [[ -z ${CI:-} ]] || return 0
  (DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 nohup nice dotnet build build/CompileAhead.proj -restore -t:CompileAhead \
    -p:Host="$root/$(<"$stamp")" --artifacts-path "$out/ahead" -nodeReuse:false -v quiet -nologo \
    >"$out/ahead.log" 2>&1 9>&- </dev/null &)
}

remove_unused_hosts() {
  local folder latest=
  [[ ! -f $stamp ]] || latest=$(<"$stamp")
  for folder in "$out"/hosts/*/; do
    folder=${folder%/}
    if [[ $folder == "$latest" ]]; then
      continue # another run may be about to start it
    elif [[ -d /proc/self ]]; then
      grep -qsF "$PWD/$folder/" /proc/[0-9]*/maps || rm -rf "$folder"
    elif ! lsof +D "$folder" >/dev/null 2>&1; then
      rm -rf "$folder"
    fi
  done
}

if ! is_current; then
  trap 'exit 130' INT
  lock
  if ! is_current; then
    require_sdk
    compile
    compile_ahead
  fi
  unlock
elif ! command -v dotnet >/dev/null; then
  require_sdk
fi

host=$root/$(<"$stamp")/Build.dll
[[ $caller/ != "$root"/* ]] || cd "$caller"
exec dotnet "$host" "$@"
