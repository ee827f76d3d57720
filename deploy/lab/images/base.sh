#!/usr/bin/env bash
# Makes the image that docker/Dockerfile starts from out of Debian's packages, under the same name,
# for machines that reach no image registry. Debian 12 has the Python that the image has.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export CONTAINERS_CONF=${CONTAINERS_CONF:-$here/../containers.conf}
image=$(sed -n 's/^ARG PYTHON_IMAGE=//p' "$here/../../../docker/Dockerfile")

podman image exists "$image" && exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mirror=$(awk '/^URIs:/ {print $2; exit} /^deb / {print $2; exit}' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
debootstrap --variant=minbase --include=python3-minimal,python3-venv,ca-certificates,libexpat1 \
  bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >&2
# Where the official image has it.
ln -s /usr/bin/python3 "$root/usr/local/bin/python3"
ln -s /usr/bin/python3 "$root/usr/local/bin/python"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
  "$root"/usr/share/{doc,locale,man}/*
tar -C "$root" -c . | podman import --change 'CMD ["python3"]' \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV LANG=C.UTF-8' - "$image"
