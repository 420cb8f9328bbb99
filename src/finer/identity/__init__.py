"""Identity: who acts, for which firm, allowed what. Decides: is this caller who it says, and may it do this.

In: credentials. Out: principals, and an audit trail of what they did.
"""
