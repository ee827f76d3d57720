"""What commands ask Temporal itself. Loaded by these commands alone: it takes a second."""
