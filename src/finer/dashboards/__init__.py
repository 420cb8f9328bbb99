"""Dashboards that people make for themselves: tiles of saved queries and metrics, notes, and digests by e-mail.

Decides what of a dashboard somebody may see, and lets one result serve all of one role. No facts in or out.
"""
