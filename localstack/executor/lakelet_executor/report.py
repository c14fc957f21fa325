"""What an invocation says of itself, worded as Lambda words it: errors, and the lines of its log."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from math import ceil

#: Bytes of a response, and of a request (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
REQUEST_LIMIT = 6 * 1024 * 1024


@dataclass(frozen=True)
class Failure:
    """An invocation that failed: its payload as JSON, and what the platform adds to its log."""

    payload: bytes
    log: str = ""
    #: The type that the REPORT line carries; empty where the handler itself failed.
    status: str = ""


@dataclass(frozen=True)
class Usage:
    """What an invocation took."""

    seconds: float
    #: None where a warm process was used.
    init_seconds: float | None
    memory_limit_mb: int
    memory_used_mb: int


def timed_out(request_id: str, seconds: int) -> Failure:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = f"{now} {request_id} Task timed out after {seconds}.00 seconds"
    return Failure(_error("Sandbox.Timedout", message), f"{message}\n\n", "timeout")


def out_of_memory(request_id: str) -> Failure:
    return _runtime_error("Runtime.OutOfMemory", f"RequestId: {request_id} Error: Runtime exited with error: signal: killed")


def exited(request_id: str, returncode: int) -> Failure:
    """A process that ended by itself, or was ended; a negative code is a signal's number, as subprocess gives it."""
    if returncode == 0:
        reason = "Runtime exited without providing a reason"
    elif returncode > 0:
        reason = f"Runtime exited with error: exit status {returncode}"
    else:
        reason = f"Runtime exited with error: signal: {_SIGNALS.get(-returncode, str(-returncode))}"
    return _runtime_error("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def response_too_large() -> Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
    return _runtime_error("Function.ResponseSizeTooLarge", message)


def log_of(request_id: str, version: str, init_log: str, log: str, usage: Usage, failure: Failure | None) -> str:
    """All lines of an invocation, from what the start of its process wrote to its REPORT."""
    parts = [_line(init_log), f"START RequestId: {request_id} Version: {version}\n", _line(log)]
    if failure is not None:
        parts.append(_line(failure.log))
    milliseconds = usage.seconds * 1000
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {ceil(milliseconds)} ms",
        f"Memory Size: {usage.memory_limit_mb} MB",
        f"Max Memory Used: {usage.memory_used_mb} MB",
    ]
    if usage.init_seconds is not None:
        fields.append(f"Init Duration: {usage.init_seconds * 1000:.2f} ms")
    if failure is not None and failure.status == "timeout":
        fields.append("Status: timeout")
    elif failure is not None and failure.status:
        fields.append(f"Status: error\tError Type: {failure.status}")
    parts.append(f"END RequestId: {request_id}\n")
    parts.append("\t".join(fields) + "\n")
    return "".join(parts)


# As Go's standard library names them, which is what Lambda's own supervisor prints.
_SIGNALS = {
    1: "hangup",
    2: "interrupt",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    8: "floating point exception",
    9: "killed",
    11: "segmentation fault",
    13: "broken pipe",
    15: "terminated",
}


def _runtime_error(error_type: str, message: str) -> Failure:
    return Failure(_error(error_type, message), f"{message}\n{error_type}\n", error_type)


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def _line(text: str) -> str:
    return text if text == "" or text.endswith("\n") else f"{text}\n"
