"""What the seconds of one optimizer step are made of: the parts that the cost model predicts and every table names."""

from enum import StrEnum


class StepPart(StrEnum):
    """A part of a step; its value is the name in `estimate.json`, tables, plots and docs."""

    COMPUTE = "compute"
    RECOMPUTATION = "recomputation"
    TENSOR_PARALLEL = "tensor parallel"
    HOST_WAIT = "host wait"
    ZERO3_GATHERS = "ZeRO-3 gathers"
    GRADIENT_REDUCTION = "gradient reduction"
    UPDATED_WEIGHTS_GATHER = "gather of updated weights"
    PIPELINE_BUBBLE = "pipeline bubble"
    PIPELINE_TRANSFERS = "pipeline transfers"
    GRADIENT_ACCUMULATION = "gradient accumulation"
    OPTIMIZER = "optimizer"
    JITTER = "jitter between nodes"
    PUBLISHED_LIMIT = "beyond any published run"
