#!/usr/bin/env bash
# Builds the image of every role, or of those named:  docker/build.sh [ROLE ...]
#   IMAGE     name before the role                                     (feedmill)
#   TAG       version of the images                                    (that of pyproject.toml)
#   BUILDER   what builds: docker, podman or buildah                   (the first one there is)
#   CA        certificates to trust during the build, if not the usual (none)
set -euo pipefail
cd "$(dirname "$0")/.."

image=${IMAGE:-feedmill}
tag=${TAG:-$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)}
builder=${BUILDER:-$(basename "$(command -v docker || command -v podman || command -v buildah)")}
roles=("$@")
[ ${#roles[@]} -gt 0 ] || roles=(ingestion fetch distillation orchestrator gateway)

case $builder in
  # buildah keeps the HEALTHCHECK only in Docker's own format.
  buildah) command=(buildah build --layers --format docker) ;;
  *) command=("$builder" build) ;;
esac
[ -z "${CA:-}" ] || command+=(--secret "id=ca,src=$CA")
# shellcheck disable=SC2206 # Several words are several options.
command+=(${BUILD_OPTIONS:-})

for role in "${roles[@]}"; do
  "${command[@]}" --file docker/Dockerfile --tag "$image-$role:$tag" \
    --build-arg "SERVICE=$role" --build-arg "VERSION=$tag" \
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" .
done
