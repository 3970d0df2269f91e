"""Slurm's accounting in the lab: a MariaDB and slurmdbd, with an account, two QOS and their limits.

What sites require lives here: a partition that takes one QOS only, a QOS that refuses a job beyond its limit.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

NEEDED = ("slurmdbd", "mariadbd", "mariadb", "mariadb-install-db", "sacctmgr")

# Associations are enforced, so that a job needs an account; the QOS `small` refuses more than one node.
SETTINGS = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={dbd}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations,limits,qos
"""
DBD = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={dbd}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StorageLoc=slurm_acct_db
"""
GRANT = (
    "CREATE DATABASE slurm_acct_db; CREATE USER slurm@'127.0.0.1'; GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';"
)
SITE = (
    ("add", "cluster", "twlab"),
    ("add", "qos", "large"),
    ("add", "qos", "small"),
    ("modify", "qos", "small", "set", "MaxTRESPerJob=node=1", "Flags=DenyOnLimit"),
    ("add", "account", "nlp"),
    ("add", "user", "root", "account=nlp", "qos=normal,large,small"),
)


def configure(folder: Path, dbd: int, database: int) -> None:
    """Write slurmdbd.conf beside slurm.conf; slurmdbd refuses one that others may read."""
    conf = folder / "slurmdbd.conf"
    conf.write_text(DBD.format(folder=folder, dbd=dbd, database=database))
    conf.chmod(0o600)
    (folder / "database.port").write_text(str(database))


def database(folder: Path) -> tuple[str, ...]:
    """Make an empty database and return the command that serves it on loopback."""
    install = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={folder}/database"]
    normal = "--auth-root-authentication-method=normal"
    subprocess.run([*install, normal, "--skip-test-db"], check=True, capture_output=True, timeout=120)
    port = (folder / "database.port").read_text()
    place = (f"--datadir={folder}/database", f"--socket={folder}/db.socket", f"--pid-file={folder}/db.pid")
    return ("mariadbd", "--no-defaults", "--user=root", *place, "--bind-address=127.0.0.1", f"--port={port}")


def grant(folder: Path) -> None:
    """Give slurmdbd its database."""
    client = ["mariadb", "--no-defaults", f"--socket={folder}/db.socket", "--user=root", "--execute", GRANT]
    subprocess.run(client, check=True, capture_output=True, timeout=60)


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin") is None]
