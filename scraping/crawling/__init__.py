"""From address to address: the walk, its frontier, its bounds, and how each address ends."""
