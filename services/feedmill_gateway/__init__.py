"""What people and their tools talk to: REST, server-sent events, pages."""
