"""The stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME (`orders`).

    outputs.py NAME    prints an output of the stack, such as ApiUrl
"""

import os
import sys
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError


@cache
def outputs(name=os.environ.get("STACK_NAME", "orders")):
    """Outputs of a stack by name."""
    stack = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


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
