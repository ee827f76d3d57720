"""The fleet on one machine: Postgres, Temporal and our five processes, started and watched."""
