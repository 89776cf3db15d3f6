# Sourced by scripts/start and scripts/test: brings npm packages and system packages that are missing, and says so first.
# Sets NODE to the Node that the packages bring. Needs: Node 20 or newer with npm.

say() { printf 'weir: %s\n' "$*" >&2; }

stop() {
  say "$*"
  exit 2
}

need_node() {
  command -v node >/dev/null 2>&1 || stop "Node is not installed. Install Node 20 or newer (Debian: apt-get install nodejs npm) and run this again"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || stop "Node $(node --version) is too old. Install Node 20 or newer and run this again"
}

# npm packages, exactly those of the lockfile; skipped when they are those already.
npm_packages() {
  wanted=$(cksum <package-lock.json)
  if [ ! -f node_modules/.weir-lock ] || [ "$(cat node_modules/.weir-lock)" != "$wanted" ]; then
    if [ -x node_modules/.bin/node ] && node -e '
      const { existsSync, readFileSync } = require("node:fs");
      const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
      const have = existsSync("node_modules/.package-lock.json") ? JSON.parse(readFileSync("node_modules/.package-lock.json", "utf8")).packages : {};
      const missing = Object.entries(lock.packages).some(([path, entry]) => path !== "" && !entry.optional && have[path]?.version !== entry.version);
      process.exit(missing ? 1 : 0)'; then
      :
    else
      say "installing npm packages (about 1.3 GB, most of it the database engine)"
      npm ci --no-audit --no-fund --loglevel=error >&2 || stop "npm ci failed; its last lines above say why"
    fi
    printf '%s' "$wanted" >node_modules/.weir-lock
  fi
  NODE=$PWD/node_modules/.bin/node
  [ -x "$NODE" ] || NODE=$(command -v node)
}

# system_packages REQUIRED|WANTED NAME:TEST …: installs the Debian packages whose TEST (a command line) fails.
system_packages() {
  level=$1
  shift
  missing=
  for entry in "$@"; do
    sh -c "${entry#*:}" >/dev/null 2>&1 || missing="$missing ${entry%%:*}"
  done
  missing=${missing# }
  [ -n "$missing" ] || return 0
  command="apt-get install -y --no-install-recommends $missing"
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing system packages: $missing"
    log=$(mktemp)
    if { apt-get update -q && DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
      rm -f "$log"
      return 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
  fi
  if [ "$level" = REQUIRED ]; then stop "these system packages are missing: $missing. As root: $command"; fi
  say "without these system packages some of it stays dark: $missing. As root: $command"
}

LIBBPF='libbpf1:ldconfig -p | grep -q libbpf.so.1 || ls /usr/lib/*/libbpf.so.1'
IPROUTE='iproute2:command -v ip'
NFT='nftables:command -v nft || ls /usr/sbin/nft'
