"""Privacy: what is kept of people and why, what people ask about it, breaches and their clocks, and erasure.

Facts in: `privacy.erasure_approved`. Facts out: the same. Reaches people's records through the services of the domains.
"""
