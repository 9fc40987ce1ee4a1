#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks every #include under src/ against the table of rooms (doc/architecture.md): who may call
# whom, and the one home of each foreign header. usage: tools/layers.sh [SOURCE_ROOT]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 100

# room: the rooms it may include (itself always).
rooms='
base
json base
conf json base
story json base
http base
journal json base
bittensor http json base
engine story json base
engine/child engine/protocol.h story json base
generator engine story http json base
app generator engine story http journal bittensor conf json base
miner app generator engine story http journal bittensor conf json base
cmd miner app generator engine story http journal bittensor conf json base
. cmd base
'
# extended regular expression of a header: the files (expression) that are its home.
homes='
llama\.h|ggml.*\.h|gguf\.h src/engine/child/.*
curl/.* src/http/client\.[ch]
microhttpd\.h src/http/server\.[ch]
libwebsockets\.h src/http/ws\.[ch]
sqlite3\.h src/journal/.*
sodium\.h|openssl/.* src/bittensor/crypto\.[ch]
jansson\.h src/json/.*
yaml\.h src/conf/.*
dlfcn\.h src/generator/plugin\.[ch]
ncurses\.h src/cmd/screen\.[ch]
cmocka\.h .*_test\.[ch]
(assert|complex|ctype|errno|float|inttypes|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|threads|time|uchar|wchar)\.h src/.*
(dirent|fcntl|fnmatch|glob|grp|netdb|poll|pthread|pwd|sched|semaphore|spawn|strings|syslog|termios|unistd|wordexp|endian|execinfo|ifaddrs|malloc|getopt|langinfo)\.h src/.*
(sys|net|netinet|arpa|linux)/.*\.h src/.*
'
find src -name '*.[ch]' | sort | xargs grep -HnE '^[[:space:]]*#[[:space:]]*include' | awk -v rooms="$rooms" -v homes="$homes" '
BEGIN {
    n = split(rooms, lines, "\n")
    for (i = 1; i <= n; i++) {
        k = split(lines[i], w, " ")
        if (k) known[w[1]] = 1
        for (j = 1; j <= k; j++) may[w[1], w[j]] = 1
    }
    n_homes = split(homes, home, "\n")
}
function bad(why) { printf "%s:%s: %s\n", file, line, why; errors++ }
function room_of(path,   r) { r = path; if (!sub("/[^/]*$", "", r)) return "."; return r }
{
    file = $0; sub(/:.*/, "", file)
    rest = substr($0, length(file) + 2)
    line = rest; sub(/:.*/, "", line)
    inc = rest; sub(/^[0-9]+:[[:space:]]*#[[:space:]]*include[[:space:]]*/, "", inc)
    room = room_of(substr(file, 5))
    if (!(room in known)) { bad("no room of the table: " room); next }
    if (inc ~ /^"/) {
        sub(/^"/, "", inc); sub(/".*/, "", inc)
        target = room_of(inc)
        if (target == ".") {
            # A source of the same folder: tests that reach statics, and tables (.inc).
            if (inc !~ /\.inc$/ && !(file ~ /_test\.c$/ && inc ~ /\.c$/)) bad("\"" inc "\": write it as \"room/file.h\"")
        } else if (target == "storyfi") {
            if (room != "generator") bad("the plugin interface is for generator/")
        } else if (!((room, target) in may) && !((room, inc) in may))
            bad("src/" room " must not include \"" inc "\"")
        next
    }
    sub(/^</, "", inc); sub(/>.*/, "", inc)
    found = 0
    for (i = 1; i <= n_homes && !found; i++) {
        if (split(home[i], w, " ") != 2) continue
        if (inc ~ "^(" w[1] ")$") { found = 1; if (file !~ "^" w[2] "$") bad("<" inc "> has its only home in " w[2]) }
    }
    if (!found) bad("<" inc ">: no home in the table of foreign headers")
}
END { exit errors > 0 }'
