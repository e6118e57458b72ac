"""A child process that ends with us, however we end: also by SIGKILL, which nobody can catch.

Between us and the program stands a watcher, this same file run as a script. We hold the other
end of its standard input, so the kernel itself tells it when we are gone; should a process forked
from us hold it too, the watcher still sees that its parent has changed. That works the same on
Linux and macOS, and from any thread, which `PR_SET_PDEATHSIG` does not.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 5.0
"""Between asking the program to end and killing it."""


@dataclass(frozen=True)
class Child:
    """A running program.

    Attributes:
        pid: of the program itself.
        watcher: the process between us and it; ends when the program does, with its exit code.
    """

    pid: int
    watcher: subprocess.Popen[bytes]

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
        grace: float = GRACE_SECONDS,
    ) -> "Child":
        """Run `command`.

        Args:
            command: the program and its arguments.
            log: what its output is appended to.
            environ: its environment, else ours.
            keep: file descriptors that stay open, and so their locks held, until it has ended.
            grace: seconds it has to end in when asked to; more if it has children to end itself.

        Raises:
            OSError: the program cannot be run.
        """
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal is for us, who then stop it in order.
            watcher = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(grace), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environ,
                start_new_session=True,
                pass_fds=keep,
            )
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        with watcher.stdout:
            pid = watcher.stdout.readline()
        if not pid:
            watcher.stdin.close()
            watcher.wait()
            raise OSError(f"{command[0]} cannot be run, see {log}")
        return cls(int(pid), watcher)

    def running(self) -> bool:
        """Whether the program still runs."""
        return self.watcher.poll() is None

    def stop(self) -> None:
        """End the program and wait until it has ended. Safe to repeat."""
        assert self.watcher.stdin is not None
        self.watcher.stdin.close()
        self.watcher.wait()


def _watch(grace: float, command: Sequence[str]) -> int:
    """Run `command` until it ends or our standard input does; its exit code."""
    parent = os.getppid()
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
    )
    os.write(1, b"%d\n" % program.pid)
    os.close(1)
    try:
        # The program's own end closes no pipe of ours, so look at it twice a second.
        while program.poll() is None and os.getppid() == parent:
            if select.select([0], [], [], 0.5)[0]:
                break
        program.terminate()
        program.send_signal(signal.SIGCONT)  # a stopped program would not hear the one before
        with suppress(subprocess.TimeoutExpired):
            program.wait(grace)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)  # what it started goes with it
    return program.wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that `finally` runs
    sys.exit(_watch(float(sys.argv[1]), sys.argv[2:]))
