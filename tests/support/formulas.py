"""Texts that spreadsheets would run, and some that they would not."""

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
RUN = [f"{blanks}{sign}1+1" for sign in SIGNS for blanks in ("", " ", "\u00a0 ")] + ['=cmd|" /C calc"!A0', "-2+3"]
NOT_RUN = ["", "plain", "a=b", "1-1", 'a "quoted", text', "'=1", "\u00e9=1", "x\n=1"]
