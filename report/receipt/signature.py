"""Signatures of receipts, by OpenSSH's own tool: `ssh-keygen -Y` signs a file with any ssh key.

The signature is FILE.sig, in OpenSSH's format (PROTOCOL.sshsig), so that `ssh-keygen -Y verify` alone checks it too.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ...spec.foreign_text import on_one_line
from ...spec.problem import InputError, shortened

TOOL = "ssh-keygen"
NAMESPACE = "trainwright-receipt"  # a signature of anything else is none of a receipt
TIMEOUT = 60.0  # seconds; a key with a passphrase asks for it at the terminal


def sign(path: Path, key: Path) -> Path:
    """Sign a file with an ssh key; the path of the signature. Raises InputError (TW869)."""
    done = _ssh_keygen(["-Y", "sign", "-f", os.path.abspath(key), "-n", NAMESPACE], path.read_bytes())  # noqa: PTH100 - links of an agent's key stay
    if done.returncode:
        raise InputError.one("TW869", f"{key} cannot sign: {_said(done)}", "Give an ssh key of yours with --sign.")
    signature = signature_of(path)
    signature.write_bytes(done.stdout)
    return signature


def signature_of(path: Path) -> Path:
    """Where the signature of a file lies."""
    return path.with_name(f"{path.name}.sig")


def check_signature(content: bytes, signature: Path, signers: Path | None) -> tuple[bool, str]:
    """Whether a signature is one of these bytes, and by whom. `signers` is an allowed_signers file of OpenSSH.

    Without it only the key is named. Raises InputError (TW869) where the tool or a file is missing.
    """
    for path in (signature, *([signers] if signers else [])):
        if not path.is_file():
            raise InputError.one("TW869", f"{path} is no file", "Give the files that `ssh-keygen -Y` writes and reads.")
    given = ["-s", os.path.abspath(signature), "-n", NAMESPACE]  # noqa: PTH100 - as for the key
    if signers is None:
        done = _ssh_keygen(["-Y", "check-novalidate", *given], content)
        return done.returncode == 0, f"{_said(done)} (whose key it is was not asked: --signers)"
    allowed = os.path.abspath(signers)  # noqa: PTH100 - as for the key
    found = _ssh_keygen(["-Y", "find-principals", "-f", allowed, *given[:2]], b"")
    who = found.stdout.decode(errors="replace").splitlines()
    if found.returncode or not who:
        return False, f"its key is not in {signers}"
    done = _ssh_keygen(["-Y", "verify", "-f", allowed, "-I", who[0], *given], content)
    return done.returncode == 0, _said(done)


def _ssh_keygen(words: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run([TOOL, *words], input=content, capture_output=True, timeout=TIMEOUT, check=False)
    except FileNotFoundError as error:
        remedy = "Install OpenSSH 8.2 or newer, or leave the signature out."
        raise InputError.one("TW869", "ssh-keygen is not installed", remedy) from error
    except subprocess.TimeoutExpired as error:
        raise InputError.one("TW869", "ssh-keygen did not answer", "Use a key that an agent holds.") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    words = on_one_line((done.stdout if not done.returncode else done.stderr or done.stdout).decode(errors="replace"))
    return shortened(words, 160) or "no reason given"
