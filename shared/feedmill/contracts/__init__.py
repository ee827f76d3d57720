"""What each worker can be asked, without how. The orchestrator calls these, services subclass them."""
