"""What to do when something is wrong: a spike, gradients that are not finite, replicas that differ, a budget used up.

In: the session after a step. Out: events, a changed state, or `Ended`. Every rank sees the same numbers and so comes to
the same verdict.
"""

from __future__ import annotations

from ...spec.emissions import carbon_tonnes
from ...spec.events import FaultEvent
from ...spec.exit_codes import Exit
from ..checkpoint import save_restore
from ..engine.deepspeed_private import replica_group
from ..engine.engine import tensor_group
from ..launch.exit_status import Ended
from . import anomaly_detection, checkpointing
from .session import Session
from .step import StepOutcome

MAX_CONSECUTIVE_SKIPS = {"fp32": 3, "bf16": 3, "fp16": 20}  # steps in a row; fp16 first has to find its loss scale
MAX_REWINDS = 3  # from one checkpoint
WARN_AT = 0.9  # of a budget


def loss_spiked(session: Session, loss: float) -> bool:
    """Whether this loss counts as a spike under the plan's policy."""
    return anomaly_detection.is_spike(loss, session.state.recent_losses, session.plan.training.loss_spike.threshold)


def handle_anomalies(session: Session, outcome: StepOutcome) -> None:
    """Act on a step that went wrong: log it, go back, or give up. Every rank comes to the same verdict."""
    state, action = session.state, session.plan.training.loss_spike.action
    jumped = loss_spiked(session, outcome.loss)
    if jumped:
        session.log_event(FaultEvent(step=state.step, what=f"loss spike: {outcome.loss:.4f}", action=action))
    if outcome.nonfinite_source is not None:
        done = "recomputed" if outcome.applied else "skipped"
        what = f"non-finite gradient: {outcome.nonfinite_source}"
        session.log_event(FaultEvent(step=state.step, what=what, action=done))
    if jumped and action == "stop":
        raise Ended(Exit.DIVERGED, "diverged", f"loss spike at step {state.step}: {outcome.loss:.4f}")
    if jumped and action == "rewind":
        rewind(session)
        return
    state.consecutive_skips = 0 if outcome.applied else state.consecutive_skips + 1
    if outcome.applied:
        state.append_loss(outcome.loss)
    if state.consecutive_skips >= MAX_CONSECUTIVE_SKIPS[session.plan.training.precision]:
        why = outcome.nonfinite_source or f"loss {outcome.loss:.4f}"
        raise Ended(
            Exit.DIVERGED,
            "diverged",
            f"{state.consecutive_skips} steps in a row were skipped, the last is {state.step}: {why}",
        )


def rewind(session: Session) -> None:
    """Go back to the newest checkpoint and leave out the batches up to the spike (PaLM, arXiv 2204.02311, 5.1)."""
    checkpointing.commit(session)
    state, spiked, rewinds = session.state, session.state.position, session.state.rewinds + 1
    found = save_restore.find_newest_valid(session.world, session.run.checkpoints, session.plan)
    if found.path is None or rewinds > MAX_REWINDS:
        raise Ended(
            Exit.DIVERGED,
            "diverged",
            f"loss spike at step {spiked.step}, and rewinding to the last checkpoint did not help",
        )
    save_restore.restore(session.engine, session.world, found.path)
    state.restore(found.read_state()["state"])
    state.rewound_samples += spiked.samples - state.samples
    state.rewinds = rewinds


def compare_replicas(session: Session) -> None:
    """Stop when weights that must be equal on several ranks are not: then some rank computes or stores wrongly."""
    own = dict(session.engine.module.named_parameters())
    wrong = anomaly_detection.find_replica_mismatch(own, replica_group())
    if session.plan.layout.tensor > 1:  # matrices and their biases are cut; norms are whole on each of these ranks
        norms = {name: weight for name, weight in own.items() if name.endswith("norm.weight")}
        wrong += anomaly_detection.find_replica_mismatch(norms, tensor_group())
    reports = [report for report in session.world.all_gather_object(wrong) if report]
    if reports:
        name, ranks = reports[0][0]
        message = f"{name} differs on replica {', '.join(map(str, ranks))} at step {session.state.step}"
        session.log_event(FaultEvent(step=session.state.step, what=message, action="stopped"))
        raise Ended(Exit.CORRUPT, "corrupt", message)


def over_budget(session: Session) -> str:
    """Why the budget ends the run, or "". Says so once at nine tenths."""
    carbon, used = session.plan.carbon, session.instruments.ledger.kwh
    if used is None:
        return ""
    tonnes = carbon_tonnes(used, carbon.pue, carbon.intensity_kg_per_kwh)
    shares = [
        used / carbon.budget_kwh if carbon.budget_kwh else 0.0,
        tonnes / carbon.budget_tonnes if carbon.budget_tonnes else 0.0,
    ]
    if max(shares) >= WARN_AT and not session.budget_warned:
        session.budget_warned = True
        what = f"{max(shares):.0%} of the budget is used: {used:.6g} kWh, {tonnes:.6g} tCO2eq"
        session.log_event(FaultEvent(step=session.state.step, what=what, action="warned"))
    return "budget" if max(shares) >= 1 else ""
