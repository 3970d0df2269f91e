"""What starts the processes of a run: this machine, ssh, Slurm or Kubernetes, and what a site asks of each."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field

from .quantity import Bytes, Seconds
from .section import Count, Section
from .text_types import (
    Account,
    Host,
    Image,
    KubernetesLabel,
    KubernetesName,
    Mount,
    PythonPath,
    Resource,
    ShellLine,
    SlurmList,
    SlurmOption,
    SlurmText,
    SlurmValue,
    Variable,
)

MailEvent = Literal[
    "BEGIN", "END", "FAIL", "REQUEUE", "INVALID_DEPEND", "STAGE_OUT", "TIME_LIMIT", "TIME_LIMIT_90", "ALL", "NONE"
]


class Container(Section):
    """The container that every Python process of the run starts in. It brings its own Python."""

    image: Image = Field(description="Image reference, or the path of a .sqsh or .sif file.")
    runtime: Literal["pyxis", "apptainer"] = Field(
        default="pyxis", description="slurm: what opens the image; Kubernetes has a runtime of its own."
    )
    mounts: tuple[Mount, ...] = Field(
        default=(), description="Folders to mount beside bundle, run and project: /host/path:/container/path[:ro]."
    )


class SlurmPrepare(Section):
    """The jobs that make tokenizer and shards: no GPU. What is not given is as in the training job."""

    partition: Account | None = Field(default=None, description="Partition; default: launch.partition.")
    account: Account | None = Field(default=None, description="Account; default: launch.account.")
    qos: Account | None = Field(default=None, description="Quality of service; default: launch.slurm.qos.")
    constraint: SlurmText | None = Field(default=None, description="Node features, e.g. cpu; default: none.")
    time_limit: Seconds | None = Field(default=None, gt=0, description="Wall-clock limit; default: the partition's.")
    nodes: Count = Field(
        default=1, description="Nodes that tokenize together, as a job array; more than one is worth it from hours on."
    )
    exclusive: bool = Field(default=True, description="Take a whole node.")
    mem: Bytes | None = Field(default=None, gt=0, description="Memory; default: all of the node.")
    cpus_per_task: Count | None = Field(default=None, description="Cores; default: Slurm's.")
    options: dict[SlurmOption, SlurmValue] = Field(
        default={}, description="Other long options of sbatch; those of the training job are not taken over."
    )


class Slurm(Section):
    """What a site asks of its jobs; names are sbatch's own (`man sbatch`)."""

    qos: Account | None = Field(default=None, description="Quality of service.")
    constraint: SlurmText | None = Field(default=None, description="Node features, e.g. gpu&hbm80g.")
    gres: SlurmList | None = Field(default=None, description="Generic resources a node, instead of --gpus-per-node.")
    reservation: Account | None = Field(default=None, description="Reservation.")
    nodelist: SlurmList | None = Field(default=None, description="Nodes to use, e.g. node[01-16].")
    exclude: SlurmList | None = Field(default=None, description="Nodes to leave out.")
    exclusive: bool = Field(default=True, description="Take whole nodes.")
    mem: Bytes | None = Field(default=None, gt=0, description="Memory per node; default: all of it.")
    cpus_per_task: Count | None = Field(default=None, description="Cores per node (one task per node).")
    mail_user: SlurmText | None = Field(default=None, description="Who is mailed.")
    mail_type: tuple[MailEvent, ...] = Field(default=(), description="About which events.")
    comment: SlurmText | None = Field(default=None, description="A comment for accounting.")
    licenses: SlurmList | None = Field(default=None, description="Licenses, e.g. scratch:1.")
    switches: SlurmText | None = Field(default=None, description="Most leaf switches, and how long to wait: 1@10:00.")
    requeue: bool = Field(default=True, description="Requeue after a lost node, pre-emption or the time limit.")
    signal_lead: Seconds | None = Field(
        default=None, gt=0, description="Warning before the time limit; default: 600 s, at most a quarter of the limit."
    )
    array_throttle: Count | None = Field(default=None, description="A matrix: how many of its runs at once.")
    options: dict[SlurmOption, SlurmValue] = Field(
        default={}, description="Any other long option of sbatch, without the dashes; an empty text for a flag."
    )
    prepare: SlurmPrepare = SlurmPrepare.model_construct()


class KubernetesPrepare(Section):
    """The jobs that make tokenizer and shards: no GPU."""

    nodes: Count = Field(
        default=1, description="Nodes that tokenize together, as an Indexed Job; worth it from hours on."
    )
    cpus: Count | None = Field(default=None, description="Cores that a pod asks for; default: none are set aside.")
    mem: Bytes | None = Field(default=None, gt=0, description="Memory that a pod asks for; default: none is set aside.")


class Kubernetes(Section):
    """What a cluster asks of its pods."""

    node_selector: dict[KubernetesLabel, KubernetesLabel] = Field(default={}, description="Labels a node must have.")
    tolerations: tuple[KubernetesLabel, ...] = Field(
        default=(), description="Keys of taints to tolerate, beside nvidia.com/gpu."
    )
    priority_class: KubernetesName | None = Field(default=None, description="PriorityClass of the pods.")
    local_queue: KubernetesName | None = Field(default=None, description="Kueue: the LocalQueue to wait in.")
    shared_memory: Bytes = Field(default=16 * 2**30, gt=0, description="Size of /dev/shm; NCCL needs it.")
    prepare: KubernetesPrepare = Field(
        default=KubernetesPrepare.model_construct(),
        exclude_if=KubernetesPrepare.model_construct().__eq__,  # specs from before there was this keep their digest
    )


class Launch(Section):
    """Where the run is started, and the options of that place."""

    target: Literal["local", "ssh", "slurm", "kubernetes"] = Field(default="local", description="What starts the run.")
    time_limit: Seconds | None = Field(default=None, gt=0, description="Wall-clock limit of one job.")
    setup: tuple[ShellLine, ...] = Field(
        default=(), description="Shell lines run before Python in every script, e.g. module load cuda."
    )
    environment: dict[Variable, ShellLine] = Field(
        default={}, description="Environment variables of every process; never secrets."
    )
    python: PythonPath | None = Field(
        default=None, description="Python on the nodes; default: the one that launches, in a container its own."
    )
    container: Container | None = Field(default=None, description="Container image, or a mapping with its options.")
    hosts: tuple[Host, ...] = Field(default=(), description="ssh: the nodes.")
    starter: Literal["ssh", "pdsh", "deepspeed"] = Field(
        default="ssh",
        description="ssh: what starts the run on the nodes; deepspeed: DeepSpeed's launcher, through ssh.",
    )
    partition: Account | None = Field(default=None, description="slurm: partition.")
    account: Account | None = Field(default=None, description="slurm: account.")
    slurm: Slurm = Slurm.model_construct()
    workload: Literal["job", "jobset", "trainjob"] = Field(
        default="job", description="kubernetes: a plain Indexed Job, or what JobSet or Kubeflow Trainer add."
    )
    namespace: KubernetesName | None = Field(default=None, description="kubernetes: namespace.")
    rdma_resource: Resource | None = Field(
        default=None, description="kubernetes: extended resource of the RDMA devices."
    )
    rdma_devices: Count | None = Field(
        default=None,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="kubernetes: how many of them a node has; by default one a GPU. AWS: p4d has 4, p5 has 32.",
    )
    volume_claim: KubernetesName | None = Field(default=None, description="kubernetes: claim that holds data and runs.")
    kubernetes: Kubernetes = Kubernetes.model_construct()
    secrets: tuple[Variable, ...] = Field(
        default=(), description="Names of environment variables to pass by reference; never values."
    )
