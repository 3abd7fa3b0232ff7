"""Finds what the machine has to share among stages."""

import os
import shutil
import subprocess

from mlxkit.pipeline.schedule import Machine


def find_machine(jobs: int) -> Machine:
    """Return this machine's limits; `jobs` 0 means as many stages at once as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = cores or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(jobs=jobs or cores, cpus=cores, memory=memory, gpus=_gpus())


def _gpus() -> int:
    """Count the GPUs that stages may use; CUDA_VISIBLE_DEVICES narrows them as it does for CUDA."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([one for one in visible.split(",") if one.strip() not in ("", "-1")])
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
