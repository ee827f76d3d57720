#!/usr/bin/env bash
# What the lab needs beside Python's packages, on Debian 12, as root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

needed=(podman buildah runc netavark iptables debootstrap)
if ! dpkg -s "${needed[@]}" > /dev/null 2>&1; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends \
    "${needed[@]}" aardvark-dns conmon uidmap catatonit
fi
# Only the program: the package would start a service.
if ! command -v prometheus > /dev/null && [ ! -x /opt/prometheus/usr/bin/prometheus ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  cd "$folder"
  apt-get download -q prometheus > /dev/null 2>&1 || { apt-get update -qq; apt-get download -q prometheus; }
  mkdir -p /opt/prometheus
  dpkg -x prometheus_*.deb /opt/prometheus
fi
# So that what passes between pods passes the rules that enforce their policies.
modprobe br_netfilter 2> /dev/null || true
sysctl -q -w net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1
