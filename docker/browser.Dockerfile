# syntax=docker/dockerfile:1
# The fetch service's other role: its image, and Debian's Chromium. docker/build.sh fetch-browser builds both.
ARG FETCH_IMAGE
# hadolint ignore=DL3006 # The tag comes with the name.
FROM ${FETCH_IMAGE}
USER 0:0
# Not pinned: what a browser needs most is its latest security update.
# hadolint ignore=DL3008
RUN --mount=type=secret,id=ca,target=/run/ca.pem,required=false \
    [ ! -s /run/ca.pem ] || echo 'Acquire::https::CaInfo "/run/ca.pem";' > /etc/apt/apt.conf.d/90ca; \
    apt-get update && apt-get install -y --no-install-recommends chromium \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/apt/apt.conf.d/90ca \
    # It has the sandbox of its namespaces; one that needs root's rights would be a way to them.
    && rm -f /usr/lib/chromium/chrome-sandbox
LABEL org.opencontainers.image.title="feedmill-fetch-browser" \
      org.opencontainers.image.description="Feedmill, a self-hosted feed curator: its fetch process with a browser"
USER 10001:10001
CMD ["browser"]
