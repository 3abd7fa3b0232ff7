"""How to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; the names are those of `dvc repro`'s flags."""

    force: bool = False
    force_downstream: bool = False
    interactive: bool = False
    pull: bool = False
    allow_missing: bool = False
    dry: bool = False
    on_error: str = "fail"
    run_cache: bool = True
    no_commit: bool = False
    wait: float = 10.0

    @property
    def pulls(self) -> bool:
        """Whether to fetch what is missing: a dry run does not."""
        return self.pull and not self.dry
