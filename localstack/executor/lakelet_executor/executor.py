"""LocalStack's interface to one execution environment: a Node process, replaced by a fresh one when it has ended."""

import atexit
import json
import logging
import shutil
import tempfile
import time
from weakref import WeakSet

from localstack.aws.api.lambda_ import RequestTooLargeException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from . import report
from .environment import environment_of, node, refuse_what_needs_docker
from .process import OUTPUT_SECONDS, DeadlinePassed, MemoryExceeded, NodeProcess, ProcessEnded
from .report import Failure, Usage

LOG = logging.getLogger(__name__)

#: For a module to load before the first invocation; what takes longer counts against that one's timeout.
INIT_SECONDS = 10.0

_running: "WeakSet[NodeExecutor]" = WeakSet()


class HandlerFailed(Exception):
    """The handler, or the start of its module, threw."""

    def __init__(self, answer: dict) -> None:
        super().__init__(answer["error"]["errorType"])
        self.failure = Failure(json.dumps(answer["error"], separators=(",", ":")).encode())
        #: The process said so with its last breath.
        self.fatal = answer["kind"] == "crash"


class NodeExecutor(RuntimeExecutor):
    """LocalStack never asks one for two invocations at a time; ``stop`` may come from another thread."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self._env: dict[str, str] = {}
        self._folder: str | None = None
        self._process: NodeProcess | None = None
        self._ready = False
        #: Why the process that was started ahead of an invocation can't serve it.
        self._start_failure: Exception | None = None
        #: What the start of the process took and wrote, until an invocation has reported it.
        self._init_seconds: float | None = None
        self._init_log = ""
        self._stopped = False

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        refuse_what_needs_docker(function_version)
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """LocalStack itself removes the code; nothing else was prepared."""

    def start(self, env_vars: dict[str, str]) -> None:
        self._folder = tempfile.mkdtemp(prefix="lakelet-lambda-")
        code = self.function_version.config.code.get_unzipped_code_location()
        self._env = environment_of(self.function_version, env_vars, code, self._folder)
        _running.add(self)
        self._start_process()

    def stop(self) -> None:
        self._stopped = True
        _running.discard(self)
        if self._process is not None:
            self._process.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if len(payload["payload"].encode()) > report.REQUEST_LIMIT:
            raise RequestTooLargeException(
                f"Request must be smaller than {report.REQUEST_LIMIT} bytes for the InvokeFunction operation",
                Type="User",
            )
        request_id = payload["invoke-id"]
        if not self._process.alive and self._start_failure is None:
            self._process.kill()
            self._start_process()
        began = time.monotonic()
        try:
            result, failure = self._answer(payload), None
            if len(result) > report.RESPONSE_LIMIT:
                failure = report.response_too_large()
        except HandlerFailed as e:
            failure = e.failure
            self._discard(e.fatal)
        except DeadlinePassed:
            failure = report.timed_out(request_id, self.function_version.config.timeout)
            self._discard(True)
        except MemoryExceeded:
            failure = report.out_of_memory(request_id)
            self._discard(True)
        except ProcessEnded as e:
            failure = report.exited(request_id, e.returncode)
            self._discard(True)
        log = self._log(request_id, time.monotonic() - began, failure)
        return InvocationResult(
            request_id, result if failure is None else failure.payload, is_error=failure is not None, logs=log
        )

    def get_logs(self) -> str:
        return "" if self._process is None else self._init_log + self._process.output.text()

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Of the channel to a container, which is not used here."""
        return ""

    def _start_process(self) -> None:
        """Lets the module load, ahead of an invocation's own time; what goes wrong is that invocation's to tell."""
        if self._stopped:
            raise LambdaRuntimeException(f"the environment {self.id} was stopped")
        code = self._env["LAMBDA_TASK_ROOT"]
        self._process = NodeProcess(node(), self._env, code, self.function_version.config.memory_size)
        self._ready = False
        if self._stopped:
            self._process.kill()
        try:
            self._await_start(time.monotonic() + INIT_SECONDS)
        except DeadlinePassed:
            LOG.info("%s loads for more than %s s", self.function_version.id.function_name, INIT_SECONDS)
        except (HandlerFailed, MemoryExceeded, ProcessEnded) as e:
            self._start_failure = e

    def _await_start(self, deadline: float) -> None:
        if self._ready:
            return
        process = self._process
        try:
            answer = process.receive(deadline)
            if answer["kind"] != "ready":
                raise HandlerFailed(answer)
            self._ready = True
            process.output.wait_for_marker(OUTPUT_SECONDS)
        finally:
            self._init_seconds = time.monotonic() - process.started

    def _answer(self, payload: dict[str, str]) -> bytes:
        """The handler's result as JSON."""
        if self._start_failure is not None:
            failure, self._start_failure = self._start_failure, None
            raise failure
        process = self._process
        timeout = self.function_version.config.timeout
        deadline = time.monotonic() + timeout
        self._await_start(deadline)
        self._init_log += process.output.take()
        process.send(
            {
                "id": payload["invoke-id"],
                "arn": payload["invoked-function-arn"],
                "trace": payload["trace-id"],
                "deadline": round((time.time() + deadline - time.monotonic()) * 1000),
            },
            payload["payload"].encode(),
        )
        answer = process.receive(deadline)
        if answer["kind"] != "result":
            raise HandlerFailed(answer)
        process.output.wait_for_marker(OUTPUT_SECONDS)
        return answer["body"]

    def _discard(self, fatal: bool) -> None:
        process = self._process
        if fatal:
            process.kill()
            process.output.wait_for_end(OUTPUT_SECONDS)
        else:
            process.output.wait_for_marker(OUTPUT_SECONDS)

    def _log(self, request_id: str, seconds: float, failure: Failure | None) -> str:
        log = self._process.output.take()
        if not self._ready:
            # The process did not come to the invocation.
            self._init_log, log = self._init_log + log, ""
        megabytes = -(-self._process.memory_used // (1024 * 1024))
        usage = Usage(seconds, self._init_seconds, self.function_version.config.memory_size, megabytes)
        version = self.function_version.id.qualifier
        text = report.log_of(request_id, version, self._init_log, log, usage, failure)
        self._init_seconds, self._init_log = None, ""
        return text


@atexit.register
def _stop_all() -> None:
    """For the environments that LocalStack's own shutdown did not come to."""
    for executor in list(_running):
        executor.stop()
