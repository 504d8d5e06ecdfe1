"""Where molecules can be: geometry, counting, packed storage."""
