"""The output of a process: what it wrote, and up to where it belongs to one invocation."""

import os
import threading

#: Bytes kept of one invocation; of longer output the beginning is left out.
LIMIT = 1024 * 1024


class Output:
    """Reads a pipe to its end in a thread of its own."""

    def __init__(self, descriptor: int, marker: bytes) -> None:
        """:param marker: bytes that the process writes when an invocation's output is complete"""
        self._descriptor = descriptor
        self._marker = marker
        self._lock = threading.RLock()
        self._kept = bytearray()
        self._left_out = False
        self._complete = threading.Event()
        self._thread = threading.Thread(target=self._read, name="lakelet-lambda-output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was written since it was last taken."""
        with self._lock:
            note = "… (the beginning of the output was left out)\n" if self._left_out else ""
            return note + self._kept.decode("utf-8", errors="replace")

    def take(self) -> str:
        with self._lock:
            text = self.text()
            self._kept.clear()
            self._left_out = False
            return text

    def wait_for_marker(self, seconds: float) -> None:
        self._complete.wait(seconds)
        self._complete.clear()

    def wait_for_end(self, seconds: float) -> None:
        """A process that the handler started may hold the pipe for longer than the handler's own: hence a limit."""
        self._thread.join(seconds)

    def _read(self) -> None:
        pending = b""
        while chunk := os.read(self._descriptor, 65536):
            pending += chunk
            while (at := pending.find(self._marker)) >= 0:
                self._keep(pending[:at])
                pending = pending[at + len(self._marker) :]
                self._complete.set()
            # The marker's beginning may be the end of what came so far.
            safe = max(0, len(pending) - len(self._marker) + 1) if self._marker[:1] in pending else len(pending)
            self._keep(pending[:safe])
            pending = pending[safe:]
        self._keep(pending)
        self._complete.set()
        os.close(self._descriptor)

    def _keep(self, data: bytes) -> None:
        with self._lock:
            self._kept += data
            if len(self._kept) > LIMIT:
                del self._kept[:-LIMIT]
                self._left_out = True
