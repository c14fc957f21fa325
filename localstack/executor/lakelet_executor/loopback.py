"""LocalStack runs on loopback alone, and so do its calls of itself."""

from functools import partial

from localstack.runtime import hooks
from localstack.utils.aws import aws_stack
from twisted.internet import endpoints


@hooks.on_infra_start()
def stay_on_loopback() -> None:
    """Answers beforehand what LocalStack would ask the machine's name server: whether s3.localhost.localstack.cloud, a
    name in the public DNS, leads to it. It then calls its S3 by ``localhost``. (Where the name server does not answer,
    asking takes many seconds.)"""
    aws_stack.CACHE_S3_HOSTNAME_DNS_STATUS = False
    # Of GATEWAY_LISTEN it heeds the port alone, and would listen on every address of the machine: who can call it runs
    # programs here.
    endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
