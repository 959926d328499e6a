"""The stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME (`orders`).

    outputs.py NAME    prints an output of the stack, such as ApiUrl
"""

import os
import sys
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def cloudformation():
    # A session of its own: clients cannot be made of one session by several threads.
    return boto3.Session().client("cloudformation")


@cache
def outputs(name=os.environ.get("STACK_NAME", "orders")):
    """Outputs of a stack by name."""
    stack = cloudformation().describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def resources(kind, name=os.environ.get("STACK_NAME", "orders")):
    """The physical ids of a stack's resources of this type, by logical id."""
    all_of_them = cloudformation().describe_stack_resources(StackName=name)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in all_of_them if one["ResourceType"] == kind}


def physical(logical, name=os.environ.get("STACK_NAME", "orders")):
    """The physical id of a resource of a stack."""
    resource = cloudformation().describe_stack_resource(StackName=name, LogicalResourceId=logical)
    return resource["StackResourceDetail"]["PhysicalResourceId"]


def in_one_line(main):
    """Runs an operator's command; that AWS cannot be reached, or refuses, is one line."""
    try:
        main()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}; is the stack up (`make run`), or are AWS credentials, region and STACK_NAME set?")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    in_one_line(lambda: print(outputs()[sys.argv[1]]))
