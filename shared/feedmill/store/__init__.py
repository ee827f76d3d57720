"""Postgres: the state of everything. One module per aggregate; `tables` alone names columns."""

from feedmill.store.engine import Store, Transaction, open_store

__all__ = ["Store", "Transaction", "open_store"]
