"""The outputs of a run: committed or restored, on record, and only then rid of earlier ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlxkit.pipeline.commit import Inputs
from mlxkit.pipeline.entries import make_entry
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Entry, Stage

if TYPE_CHECKING:
    # Imported when a stage runs: a run that finds nothing to do must not pay for it.
    from mlxkit.pipeline.aside import Aside


class Outputs:
    """What the stages of `order` make, and the files that say so: dvc.lock and .gitignore."""

    def __init__(self, session: RunSession, order: Sequence[Stage], options: Options) -> None:
        self._session = session
        self._options = options
        self._order = order
        self._place = {stage.key: index for index, stage in enumerate(order)}
        self._replaced: list[Aside] = []
        session.locks.set_order(order)
        for stage in order:
            for index, out in enumerate(stage.outs):
                session.ignores.rank(out, (self._place[stage.key], index))

    def mend(self) -> None:
        """Write lock files that were cut or in conflict: DVC, asked about a stage, reads them."""
        for stage in {one.lock_path: one for one in self._order if one.name}.values():
            self._session.locks.entry(stage)
        if self._session.locks.mended:
            self.flush()

    def restore(self, stage: Stage, kept: Entry | None) -> None:
        """Bring back outputs that are known: those of an entry, or, without one, by DVC."""
        if kept is not None:
            self._session.committer.restore(stage, kept)
        else:
            self._session.delegate.restore(stage.file, stage.name)
        self._session.workspace.forget()

    def commit(self, stage: Stage, inputs: Inputs, *, forced: bool) -> Entry:
        """Record what is there as made from `inputs`; raises MlxError for what cannot be."""
        session, no_commit = self._session, self._options.no_commit
        if stage.name is None:
            session.delegate.bring(stage.file, force=forced, no_commit=no_commit)
            session.workspace.forget()
            found = {out.path: session.workspace.content(out.abs) for out in stage.outs}
            return make_entry(stage, {}, {}, {path: one for path, one in found.items() if one})
        if session.delegated(stage):
            entry = session.delegate.commit(stage.file, stage.name, no_commit=no_commit)
            assert entry is not None
        else:
            entry = session.committer.commit(stage, inputs, no_commit=no_commit)
            for index, out in enumerate(stage.outs):
                session.ignores.add(out, (self._place[stage.key], index))
        session.locks.put(stage, entry)
        return entry

    def replaced(self, earlier: "Aside") -> None:
        """Drop earlier outputs as soon as the lock file with the new ones is on the disk."""
        self._replaced.append(earlier)

    def flush(self) -> None:
        """Bring `.gitignore` and lock files to the disk, then drop the earlier outputs."""
        session = self._session
        if (session.locks.dirty or session.ignores.dirty) and not self._options.dry:
            self._note_bases()
            session.touched.update([*session.ignores.flush(), *session.locks.flush()])
        if self._replaced:
            from mlxkit.pipeline.aside import drop

            for earlier in self._replaced:
                drop(earlier)
            self._replaced.clear()

    def _note_bases(self) -> None:
        """Write down what the files were before this run: a run after a kill needs it."""
        rundir, session = self._session.rundir, self._session
        bases = {path: session.locks.base(path) for path in session.locks.dirty}
        lacking = not bases.keys() <= rundir.lock_bases.keys()
        if lacking or session.ignores.bases != rundir.ignore_bases:
            rundir.lock_bases = {**bases, **rundir.lock_bases}
            rundir.ignore_bases = dict(session.ignores.bases)
            rundir.note_bases()
