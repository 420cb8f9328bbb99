"""What happens to records and requests while processes die, stop, hang or meet what they cannot process."""
