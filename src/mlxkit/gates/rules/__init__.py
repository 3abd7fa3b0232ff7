"""The kinds of rules, each `check(settings, bench) -> list[Verdict]`; looks only, never guesses."""
