"""Notifications: what Finer tells people without being asked, in the bell of the web app.

Decides: who sees a notification, and whether it is still news. In: nothing; the domains above call it. Out: nothing.
"""
