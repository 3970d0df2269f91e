"""env.sh: what every process of the run has in its environment, each line with its reason."""

from __future__ import annotations

from .inputs import RenderInputs
from .network_variables import Variable, network
from .shell import script

# glibc's allocator: no block gets a mapping of its own, and the end of the heap is not returned (glibc manual,
# Memory Allocation Tunables).
KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864"


# What a launcher of ranks sets for each of them (torchrun, DeepSpeed, PyTorchJob; env.sh.j2 has what torchelastic and
# mpirun begin theirs with). Ours sets them anew; on Kubernetes the pods' own job has set them before our scripts run.
RANK_VARIABLES = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"),
    *("ROLE_WORLD_SIZE", "CROSS_RANK", "CROSS_SIZE", "LOCAL_SIZE", "MASTER_ADDR", "MASTER_PORT"),
)


def environment(unit: RenderInputs) -> str:
    """The text of env.sh."""
    variables = [*_processes(unit), *network(unit.spec), *_deterministic(unit), *_asked(unit)]
    foreign = () if unit.target == "kubernetes" else RANK_VARIABLES
    return script("env.sh.j2", name=unit.plan.name, variables=variables, foreign=foreign)


def setup(unit: RenderInputs) -> dict[str, str]:
    """setup.sh with the shell lines of `launch.setup`; nothing where there are none."""
    lines = unit.spec.launch.setup
    return {"setup.sh": script("setup.sh.j2", lines=lines)} if lines else {}


def _deterministic(unit: RenderInputs) -> list[Variable]:
    """What torch cannot ask for by itself (its notes on randomness; Megatron-LM's `deterministic_mode`)."""
    if unit.spec.cluster.on_cpu or not unit.spec.training.deterministic:
        return []
    return [
        Variable(
            "CUBLAS_WORKSPACE_CONFIG", ":4096:8", "cuBLAS adds in one order: a workspace of its own for each stream"
        ),
        Variable("NCCL_ALGO", "^NVLS", "Switches add up in the order in which numbers come; rings and trees do not"),
        Variable("TORCHINDUCTOR_DETERMINISTIC", 1, "torch.compile times no kernels to choose between them"),
    ]


def _asked(unit: RenderInputs) -> list[Variable]:
    """What the spec sets, after ours: it has the last word."""
    launch = unit.spec.launch
    variables = [Variable(name, value, "launch.environment of the spec") for name, value in launch.environment.items()]
    if launch.python is not None or (launch.container is not None and unit.target in ("slurm", "kubernetes")):
        why = "launch.python of the spec" if launch.python else "The container's own Python, not that of the host"
        variables.append(Variable("TRAINWRIGHT_PYTHON", launch.python or "python", why))
    return variables


def _processes(unit: RenderInputs) -> list[Variable]:
    if unit.spec.cluster.on_cpu:
        why = "The memory of a step is kept for the next: giving it back and fetching it anew takes 4% of a step"
        return [
            Variable("DS_ACCELERATOR", "cpu", "DeepSpeed trains on the CPU even where a GPU is present"),
            Variable("GLIBC_TUNABLES", KEEP_MEMORY, why),
        ]
    why = "CUDA counts the GPUs as NVML does: the energy meter and the power cap then read the boards that train"
    return [Variable("CUDA_DEVICE_ORDER", "PCI_BUS_ID", why)]
