"""What several tests need: programs, ports, servers that play the outside world."""
