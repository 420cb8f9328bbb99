"""Many open streams: server-sent events to thousands of clients on a few threads' worth of work."""
