"""What identity speaks."""
