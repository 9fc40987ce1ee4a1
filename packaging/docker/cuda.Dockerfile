# SPDX-License-Identifier: MIT
# The miner with llama.cpp built for NVIDIA cards. From the repository's root:
#   docker build -f packaging/docker/cuda.Dockerfile -t storyfi:cuda .
#   docker run --init --gpus all -p 8091:8091 -v storyfi:/var/lib/storyfi storyfi:cuda miner --netuid 92
# ARCHITECTURES: of the cards, as CMAKE_CUDA_ARCHITECTURES; fewer build faster.
ARG CUDA=12.6.3
ARG SYSTEM=ubuntu24.04

FROM nvidia/cuda:${CUDA}-devel-${SYSTEM} AS build
ARG ARCHITECTURES=75;80;86;89;90
ENV STORYFI_CACHE=/cache DEBIAN_FRONTEND=noninteractive LLAMA=source \
    LLAMA_CMAKE_ARGS="-DGGML_CUDA=ON -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_CUDA_ARCHITECTURES=${ARCHITECTURES}"
WORKDIR /src
COPY tools/setup.sh tools/paths.sh tools/
RUN mkdir -p /cache && tools/setup.sh && rm -rf /var/lib/apt/lists/*
COPY . .
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The runtime image gets the packages that the programs' libraries are from, by asking the ones here.
RUN make all && DESTDIR=/out cmake --install build --prefix /usr \
    && ldd /out/usr/bin/storyfi /out/usr/bin/storyfi-engine | awk '$3 ~ /^\/(usr\/)?lib\// {print $3}' | sort -u \
    | while read -r library; do dpkg -S "*/$(basename "$library")"; done | cut -d: -f1 | grep -v -e cuda -e cublas \
    | sort -u >/packages

FROM nvidia/cuda:${CUDA}-runtime-${SYSTEM}
COPY --from=build /packages /tmp/packages
# Their names are the ones of the image that built it.
# hadolint ignore=DL3008
RUN groupadd --system --gid 10092 storyfi \
    && useradd --system --uid 10092 --gid 10092 --home-dir /var/lib/storyfi --shell /usr/sbin/nologin storyfi \
    && install -d -o storyfi -g storyfi /var/lib/storyfi \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends ca-certificates </tmp/packages \
    && rm -rf /var/lib/apt/lists/* /tmp/packages
COPY --from=build /out/usr /usr
ENV STORYFI_STATE_DIR=/var/lib/storyfi/state \
    STORYFI_GENERATOR_LOCAL_MODELS_DIR=/var/lib/storyfi/models \
    BT_WALLET_PATH=/var/lib/storyfi/wallets
USER 10092:10092
WORKDIR /var/lib/storyfi
VOLUME /var/lib/storyfi
EXPOSE 8091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=300s --retries=3 CMD ["storyfi", "status"]
ENTRYPOINT ["storyfi"]
CMD ["miner"]
