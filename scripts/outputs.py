"""The stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME (`orders`)."""

import os
from functools import cache

import boto3


@cache
def outputs():
    """Outputs of the stack by name."""
    name = os.environ.get("STACK_NAME", "orders")
    stack = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
