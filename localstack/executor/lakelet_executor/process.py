"""One Node process: started, asked, measured, ended."""

import json
import logging
import os
import queue
import secrets
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

from .log import Output

LOG = logging.getLogger(__name__)

BOOTSTRAP = Path(__file__).parent.parent / "node" / "bootstrap.mjs"
#: Between two looks at a process's memory.
SAMPLE_SECONDS = 0.05
#: For the rest of the output of a process that has answered, or has ended.
OUTPUT_SECONDS = 2.0


class MemoryExceeded(Exception):
    """More memory was resident than the function may have."""


class DeadlinePassed(Exception):
    """No answer came in time."""


class ProcessEnded(Exception):
    """The process is gone, without an answer."""

    def __init__(self, returncode: int) -> None:
        super().__init__(f"the process ended with {returncode}")
        self.returncode = returncode


class NodeProcess:
    """A process that waits for invocations. Three pipes lead to it beside its output: requests, its answers, and one
    that nothing is written to; at that one's end, which comes when LocalStack dies in whatever way, it ends itself. What
    it starts is of its process group, and ends with it."""

    def __init__(self, node: str, env: dict[str, str], folder: str, memory_limit_mb: int) -> None:
        self.started = time.monotonic()
        self.memory_used = 0
        self._memory_limit = memory_limit_mb * 1024 * 1024
        self._answers: queue.Queue[dict | None] = queue.Queue()
        marker = f"\0{secrets.token_hex(16)}\0"
        requests, our_requests = os.pipe()
        answers, their_answers = os.pipe()
        lifeline, our_lifeline = os.pipe()
        output, their_output = os.pipe()
        theirs = (requests, their_answers, lifeline)
        try:
            self._process = subprocess.Popen(
                [node, *_heap_flags(memory_limit_mb), str(BOOTSTRAP), *map(str, theirs), marker.strip("\0")],
                env=env,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=their_output,
                stderr=their_output,
                pass_fds=theirs,
                process_group=0,
            )
        except BaseException:
            for descriptor in (our_requests, answers, our_lifeline, output):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (*theirs, their_output):
                os.close(descriptor)
        self._held = [our_requests, our_lifeline]
        self._closing = threading.Lock()
        self._measured = psutil.Process(self._process.pid)
        self.output = Output(output, marker.encode())
        threading.Thread(target=self._read_answers, args=(answers,), name="lakelet-lambda-answers", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, request: dict, event: bytes) -> None:
        """Returns at once: a process that is too busy to read must not keep its deadline from being looked at."""
        data = json.dumps({**request, "size": len(event)}).encode() + b"\n" + event
        threading.Thread(target=self._write, args=(data,), name="lakelet-lambda-request", daemon=True).start()

    def receive(self, deadline: float) -> dict:
        """The next answer, with its JSON as ``body``.

        :param deadline: of ``time.monotonic``
        :raises MemoryExceeded, DeadlinePassed, ProcessEnded:
        """
        while True:
            alive = self.alive
            # What a process that has ended said last is still on its way.
            seconds = min(SAMPLE_SECONDS, deadline - time.monotonic()) if alive else OUTPUT_SECONDS
            try:
                answer = self._answers.get(timeout=max(0.0, seconds))
            except queue.Empty:
                answer = None
                if alive:
                    self._measure()
                    if time.monotonic() >= deadline:
                        raise DeadlinePassed from None
                    continue
            if answer is None:
                raise ProcessEnded(self._ended())
            self._measure()
            return answer

    def kill(self) -> None:
        """Ends the process and those that it started, and returns when it is gone."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Nobody is left of the group; where only the dead are, macOS says that they may not be killed.
            pass
        self._process.wait()
        self._close()

    def _ended(self) -> int:
        try:
            self._process.wait(OUTPUT_SECONDS)
        except subprocess.TimeoutExpired:
            # It closed the pipe of its answers, so there is nothing more to wait for.
            LOG.info("the process %s gives no more answers and is ended", self._process.pid)
        self.kill()
        return self._process.returncode

    def _close(self) -> None:
        with self._closing:
            for descriptor in self._held:
                os.close(descriptor)
            self._held.clear()

    def _write(self, data: bytes) -> None:
        try:
            # A descriptor of its own: the other one may be closed, and its number used again, in the meantime.
            with self._closing:
                if not self._held:
                    return
                descriptor = os.dup(self._held[0])
            with os.fdopen(descriptor, "wb", buffering=0) as requests:
                while data:
                    data = data[requests.write(data) :]
        except BrokenPipeError:
            # The process is gone, which receive() finds out, too.
            return

    def _measure(self) -> None:
        try:
            resident = self._measured.memory_info().rss
        except psutil.NoSuchProcess:
            return
        self.memory_used = max(self.memory_used, resident)
        if resident > self._memory_limit:
            raise MemoryExceeded

    def _read_answers(self, descriptor: int) -> None:
        try:
            with os.fdopen(descriptor, "rb") as answers:
                while (line := answers.readline()).endswith(b"\n"):
                    head = json.loads(line)
                    body = answers.read(head["size"])
                    if len(body) < head["size"]:
                        break
                    self._answers.put({**head, "body": body})
        finally:
            self._answers.put(None)


def _heap_flags(memory_mb: int) -> list[str]:
    """As Lambda's own Node runtime divides a function's memory."""
    return [f"--max-old-space-size={memory_mb * 90 // 100}", f"--max-semi-space-size={max(1, memory_mb * 5 // 100)}"]
