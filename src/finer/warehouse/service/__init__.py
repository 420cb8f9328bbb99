"""What the warehouse offers: the lake itself, and exports of it."""
