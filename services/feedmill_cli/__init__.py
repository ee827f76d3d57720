"""The `feedmill` command: the whole fleet on one machine, and everyday requests to a running one."""
