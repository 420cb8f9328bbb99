"""Notifications: what Finer tells people without being asked, in the bell of the web app, by e-mail and by webhook.

Decides: who sees a notification, whether it is still news, and what became of each message that went out. In: nothing;
the domains above call it. Out: nothing.
"""
