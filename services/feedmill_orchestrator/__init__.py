"""Runs every workflow: what comes next, and on which queue."""
