"""What a person can type after `feedmill`, a module per group."""
