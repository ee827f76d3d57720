"""What flows through Feedmill, stage by stage. Pure data: nothing here does anything."""
