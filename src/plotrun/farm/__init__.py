"""The plots that lie in the destinations: what they are, and how one is removed to make room."""
