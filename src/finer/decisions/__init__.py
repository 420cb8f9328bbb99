"""Decisions: one shape for every verdict, and the alerts and cases that people work on.

Decides: which state an alert and a case is in. In: verdicts of the deciding domains. Out: AlertResolved, CaseOpened,
CaseClosed, CaseActionAsked, CaseActionUndone.
"""
