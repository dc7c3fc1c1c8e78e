"""Who is at work on this machine: a process, told from a later one that got the same number."""

import os

import psutil


class LocalWorkers:
    """Implements `agent.approvals.ports.Workers` for processes of one machine."""

    def __init__(self, pid: int | None = None) -> None:
        pid = os.getpid() if pid is None else pid
        self.me = f"{pid}@{psutil.Process(pid).create_time():.2f}"

    def trusted(self) -> bool:
        """Always: nobody here is taken for dead while it lives."""
        return True

    def alive(self, worker: str) -> bool:
        """Whether the process that called itself so still runs."""
        pid, _, started = worker.partition("@")
        try:
            process = psutil.Process(int(pid))
            return f"{process.create_time():.2f}" == started and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):
            return False
