"""T2: attacks of the register that have a surface in the product today: how many are tried, and how many hold."""

from __future__ import annotations

from bench.support.report import report
from tools.security import try_attacks


def main() -> None:
    """Try them all and print the row."""
    attacks = try_attacks()
    first = [attack for attack in attacks if attack.wave == "1"]
    figures = {
        "tried": sum(attack.tests > 0 for attack in first),
        "held": sum(attack.held for attack in first),
        "open": sum(not attack.held for attack in attacks),
        "with_surface": len(first),
        "tests": sum(attack.tests for attack in attacks),
    }
    report("T2", figures, "all tried, all held", figures["held"] == len(first) and figures["open"] == 0)


if __name__ == "__main__":
    main()
