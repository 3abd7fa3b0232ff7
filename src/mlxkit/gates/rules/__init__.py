"""The kinds of rules, each `check(settings, context) -> list[Verdict]`; only looks."""
