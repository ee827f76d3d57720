#!/usr/bin/env bash
# Builds every image that the lab runs: our own as they are, and stand-ins for those of others where no
# registry can be reached. What is there already is kept, but for our own.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export CONTAINERS_CONF=${CONTAINERS_CONF:-$PWD/deploy/lab/containers.conf}
ca=${CA:-/etc/ssl/certs/ca-certificates.crt}
options=(--isolation chroot --network host --pull-never)

deploy/lab/images/base.sh
for server in postgres temporal; do
  image=$(sed -n "s|.*image: \(docker.io/.*/$server:.*\)|\1|p" deploy/k8s/servers.yaml)
  podman image exists "$image" || buildah build --layers "${options[@]}" \
    --ignorefile deploy/lab/images/.dockerignore --secret "id=ca,src=$ca" \
    --file deploy/lab/images/Dockerfile --target "$server" --tag "$image" .
done
BUILDER=buildah IMAGE=localhost/feedmill TAG=lab CA=$ca BUILD_OPTIONS="${options[*]}" docker/build.sh \
  ingestion fetch fetch-browser distillation orchestrator gateway
