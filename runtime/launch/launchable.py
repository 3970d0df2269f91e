"""What is to be launched: a bundle that lies in a folder, or the files that it will have there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...spec.plan import Plan
from ...spec.run_folder import RunFolder
from .admit import Decision, decide

_OWN_FILES = {"slurm": "slurm.sbatch", "kubernetes": "k8s.yaml", "ssh": "nodes.sh"}  # which no other target has


@dataclass(frozen=True, slots=True)
class Launchable:
    """A bundle, its plan, and the project folder where its corpus lies; `files` is empty where the bundle is there."""

    bundle: Path
    root: Path
    plan: Plan
    files: dict[str, str]

    @property
    def target(self) -> str:
        """What starts it: local, ssh, slurm or kubernetes."""
        names = self.files or {path.name for path in self.bundle.iterdir()}
        return next((target for target, file in _OWN_FILES.items() if file in names), "local")

    @property
    def elsewhere(self) -> bool:
        """Whether another Python will train, in a container."""
        script = self.files["launch.sh"] if self.files else (self.bundle / "launch.sh").read_text(encoding="utf-8")
        return "--elsewhere" in script

    def decide(self, run: RunFolder) -> Decision:
        """Whether it may start or resume `run`. Raises InputError with everything that keeps it from doing so."""
        return decide(self.plan, run, self.root, elsewhere=self.elsewhere)

    def words(self, run: RunFolder) -> list[str]:
        """The command that starts it."""
        return ["bash", *(str(path.absolute()) for path in (self.bundle / "launch.sh", run.path, self.root))]
