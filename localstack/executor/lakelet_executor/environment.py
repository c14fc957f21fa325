"""What a function needs to run here: what is refused, and the environment variables of its process."""

import os
from pathlib import Path

from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException

# LocalStack's own channel to a container, which is not used here.
_NOT_HANDED_ON = {"LOCALSTACK_RUNTIME_ID", "LOCALSTACK_RUNTIME_ENDPOINT", "LOCALSTACK_FUNCTION_ACCOUNT_ID"}


def node() -> str:
    """The Node that runs the functions, named by whoever started LocalStack."""
    named = os.environ.get("LAKELET_NODE")
    if not named:
        raise LambdaRuntimeException("LAKELET_NODE does not name the Node that is to run the functions")
    return named


def refuse_what_needs_docker(function_version: FunctionVersion) -> None:
    """:raises LambdaRuntimeException: LocalStack puts its text into the function's StateReason"""
    config = function_version.config
    name = function_version.id.function_name
    if config.package_type != PackageType.Zip or config.code is None:
        raise LambdaRuntimeException(f"{name} is a container image, which needs Docker: package it as a zip")
    if not str(config.runtime or "").startswith("nodejs"):
        raise LambdaRuntimeException(f"{name} asks for the runtime {config.runtime}, and without Docker only nodejs runs")
    if config.layers:
        raise LambdaRuntimeException(f"{name} has layers, which need Docker: put their files into its zip")
    if config.code.is_hot_reloading():
        raise LambdaRuntimeException(f"{name} asks for hot reloading, which needs Docker: deploy its zip again instead")


def environment_of(
    function_version: FunctionVersion, env_vars: dict[str, str], code: Path, temporary: str
) -> dict[str, str]:
    """The whole environment of a function's process.

    :param env_vars: what LocalStack hands to an executor; the function's own variables are among them, and win
    :param code: the unpacked zip
    :param temporary: a folder of this environment's own, in place of Lambda's private /tmp
    """
    own = function_version.config.environment or {}
    env = {
        "PATH": os.pathsep.join([os.path.dirname(node()), os.environ.get("PATH", "")]),
        "LANG": "en_US.UTF-8",
        "TMPDIR": temporary,
        **{name: str(value) for name, value in env_vars.items() if name not in _NOT_HANDED_ON},
        "LAMBDA_TASK_ROOT": str(code),
    }
    if "AWS_EXECUTION_ENV" not in own:
        env["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{function_version.config.runtime}"
    # Keys of the function's own (for an S3 server that checks them) don't go with the role's session.
    if "AWS_ACCESS_KEY_ID" in own and "AWS_SESSION_TOKEN" not in own:
        env.pop("AWS_SESSION_TOKEN", None)
    return env
