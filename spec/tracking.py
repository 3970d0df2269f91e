"""Trackers that a run sends its curves to, beside its own event log and TensorBoard."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .quantity import Amount, AmountIn
from .section import Section
from .text_types import Key, Label, ServerAddress


class Wandb(Section):
    """Weights & Biases. The key comes from WANDB_API_KEY (`launch.secrets`) or from its own login."""

    project: Label = Field(default="trainwright", description="Project there.")
    entity: Key | None = Field(default=None, description="User or team; default: that of the key.")
    mode: Literal["online", "offline"] = Field(
        default="online", description="offline: into RUN/wandb, for `wandb sync` later."
    )


class Mlflow(Section):
    """MLflow. User and password come from its own variables (`launch.secrets`)."""

    experiment: Label = Field(default="trainwright", description="Experiment there.")
    server: ServerAddress | None = Field(
        default=None, description="Address of the tracking server; default: MLFLOW_TRACKING_URI."
    )


class Logging(Section):
    """Where the curves go while the run trains, and how often; `{}` takes every default of a tracker."""

    wandb: Wandb | None = Field(default=None, description="Send the curves to Weights & Biases.")
    mlflow: Mlflow | None = Field(default=None, description="Send the curves to MLflow.")
    every: Annotated[Amount, AmountIn(("steps",))] = Field(
        default=Amount.model_construct(value=1.0, unit="steps"),
        description="Distance between points; validations are all sent.",
    )
