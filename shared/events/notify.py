"""What notify tells of its own: nothing yet. It tells the public facts of the others again on the feed, unchanged."""
