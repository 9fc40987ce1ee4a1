#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks every #include of src/ against the table of rooms: arrows point down only, and a foreign header
# lives in one place.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 100
bad=0
allowed() { # room -> the rooms it may include
    case $1 in
    base) echo "base" ;;
    json) echo "json base" ;;
    conf) echo "conf json base" ;;
    story) echo "story json base" ;;
    http) echo "http base" ;;
    bittensor) echo "bittensor http json base" ;;
    engine/child) echo "engine/child engine story json base" ;;
    engine) echo "engine story json base" ;;
    generator) echo "generator engine story http json base" ;;
    app) echo "app generator engine bittensor http story conf json base" ;;
    miner) echo "miner app generator engine bittensor http story conf json base" ;;
    cmd) echo "cmd miner app generator engine bittensor http story conf json base" ;;
    .) echo "cmd base" ;;
    *) echo "" ;;
    esac
}
home_of() { # foreign header -> pattern of files that may include it
    case $1 in
    llama.h | ggml*.h | gguf.h) echo 'src/engine/child/*' ;;
    curl/*) echo 'src/http/client.c' ;;
    microhttpd.h) echo 'src/http/server.c' ;;
    libwebsockets.h) echo 'src/http/ws.c' ;;
    sqlite3.h) echo 'src/journal/*' ;;
    sodium.h | openssl/*) echo 'src/bittensor/crypto.c' ;;
    jansson.h) echo 'src/json/*' ;;
    yaml.h) echo 'src/conf/*' ;;
    dlfcn.h) echo 'src/generator/plugin.c' ;;
    *) echo 'src/*' ;;
    esac
}
complain() { echo "FAIL layers: $1"; bad=1; }
while IFS=: read -r file include; do
    room=$(dirname "${file#src/}")
    case $include in
    '"'*)
        target=${include#\"}; target=${target%\"}
        to=$(dirname "$target")
        case " $(allowed "$room") " in *" $to "*) ;; *)
            case $target in *.inc | *.c) ;; *) complain "$file includes $target: $room may not call $to" ;; esac ;;
        esac ;;
    '<'*)
        header=${include#<}; header=${header%>}
        # shellcheck disable=SC2254
        case $file in $(home_of "$header")) ;; *) complain "$file includes <$header>: its home is $(home_of "$header")" ;; esac ;;
    esac
done < <(grep -rnoE '^#include +("[^"]+"|<[^>]+>)' src --include='*.[ch]' | sed -E 's/^([^:]+):[0-9]+:#include +/\1:/')
[ $bad = 0 ] && echo "PASS layers: every include points down"
exit $bad
