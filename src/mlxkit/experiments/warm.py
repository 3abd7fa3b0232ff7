"""What every run needs, imported and worked out once before processes are forked for them."""

from mlxkit.runs.settings import load_settings
from mlxkit.tools import dvc


def warm_up(root: str) -> None:
    """Import what a run imports, and read what the project's settings say.

    Raises ProjectError for settings that are wrong: each run would stumble over them.
    """
    dvc.warm_up()
    import mlxkit.core.yaml_emit
    import mlxkit.core.yaml_parse
    import mlxkit.core.yaml_ruamel
    import mlxkit.data.checkout
    import mlxkit.pipeline.aside
    import mlxkit.pipeline.claims
    import mlxkit.pipeline.commit
    import mlxkit.pipeline.gitignore
    import mlxkit.pipeline.lazy
    import mlxkit.pipeline.lock_text
    import mlxkit.pipeline.runcache
    import mlxkit.runs.compose
    import mlxkit.runs.environment
    import mlxkit.runs.ledger
    import mlxkit.runs.pending
    import mlxkit.runs.recorder
    import mlxkit.tools.dvc_delegate
    import mlxkit.tools.dvc_path_locks
    import mlxkit.tools.dvc_worktree
    import mlxkit.tools.dvclock

    assert mlxkit
    dvc.load_config(root)
    load_settings(root)
