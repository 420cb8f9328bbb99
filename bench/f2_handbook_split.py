"""F2: the split of the Handbook's chapter 3; see bench/handbook.py."""

from __future__ import annotations

from bench.handbook import command

if __name__ == "__main__":
    command("F2")()
