"""What LocalStack loads by its entry point."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class NodeExecutorPlugin(RuntimeExecutorPlugin):
    name = "lakelet-node"

    def load(self, *args, **kwargs):
        from .executor import NodeExecutor

        return NodeExecutor
