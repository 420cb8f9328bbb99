"""What people keep of their SQL: runs with results, saved queries, schedules and alerts on results.

The queries themselves run in the sandbox of the warehouse, with the rights of whoever runs them. No facts in or out.
"""
