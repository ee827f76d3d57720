#!/usr/bin/env bash
# Builds the image of every role, or of those named:  docker/build.sh [ROLE ...]
# fetch-browser, which no other role needs, only where it is named: it stands on the image of fetch.
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
  case $role in
    fetch-browser) arguments=(--file docker/browser.Dockerfile --build-arg "FETCH_IMAGE=$image-fetch:$tag") ;;
    *)
      arguments=(
        --file docker/Dockerfile --build-arg "SERVICE=$role" --build-arg "VERSION=$tag"
        --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
      )
      ;;
  esac
  "${command[@]}" "${arguments[@]}" --tag "$image-$role:$tag" .
done
