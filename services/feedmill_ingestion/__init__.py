"""Polls feeds, parses what they show, and stores the entries that are new."""
