"""Runs commands and says what they cost, from a process too small to blur their peak memory.

    python -I -S stopwatch.py JOBS LOG < COMMANDS

COMMANDS has one command per line, its words parted by tabs; JOBS of them run at a time; what they print goes to the
file LOG. One line comes out: wall seconds, CPU seconds of all commands, the largest peak memory in KiB, failures.

The kernel counts the memory of the process that starts another to the peak of the new one, so this imports nothing.
"""

import os
import sys
import time


def main() -> None:
    """Run it all, then say so."""
    jobs, log = int(sys.argv[1]), sys.argv[2]
    waiting = [line.split("\t") for line in sys.stdin.read().splitlines()][::-1]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    cpu, peak, failures, running = 0.0, 0, 0, 0
    started = time.perf_counter()
    while waiting or running:
        while waiting and running < jobs:
            command = waiting.pop()
            os.posix_spawn(command[0], command, os.environ, file_actions=files)
            running += 1
        _, status, usage = os.wait4(-1, 0)
        running -= 1
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
        failures += status != 0
    print(time.perf_counter() - started, cpu, peak, failures)


if __name__ == "__main__":
    main()
