"""Pages that fill themselves in, seen by a browser that is let out through one door only."""
