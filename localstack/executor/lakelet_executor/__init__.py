"""Runs the Lambdas of LocalStack 4.7 as Node processes, without Docker.

LocalStack asks for an executor by the entry point group ``localstack.lambda.runtime_executor``; this folder lies in its
``PYTHONPATH`` and is chosen by ``LAMBDA_RUNTIME_EXECUTOR=lakelet-node``. ``LAKELET_NODE`` names the Node to run.
"""
