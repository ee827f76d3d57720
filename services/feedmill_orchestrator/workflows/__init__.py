"""One module per workflow. Each is a pure plan: no clock, environment, settings or I/O."""
