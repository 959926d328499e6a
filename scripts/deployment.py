"""Deploys the built service into an emulator with `sam deploy`, when something changed."""

import hashlib
import json
import os
import subprocess
from functools import cache
from pathlib import Path

import yaml

from aws import client
from processes import StackError, say


class Deployment:
    """The service's stack in one emulator."""

    name = "orders"

    def __init__(self, root: Path, folder: Path, aws: dict, partners_url: str):
        self.root = root
        self.folder = folder
        self.aws = aws
        self.parameters = {
            "Architecture": "x86_64",
            "CustomerServiceUrl": partners_url,
            "InventoryServiceUrl": partners_url,
            "TokenIssuer": partners_url,
            "SettleRetrySeconds": "10",
            "Reconcile": "ENABLED",
            "Jwks": f"{partners_url}/.well-known/jwks.json",
        }

    def deploy(self):
        mark = self.folder / "deployed"
        build = self.digest()
        if mark.exists() and mark.read_text() == build and self.outputs():
            say("the deployed stack is up to date")
            return
        say("deploying")
        log = self.folder / "deploy.log"
        overrides = [f"{name}={value}" for name, value in self.parameters.items()]
        command = ["sam", "deploy", "--config-env", "local", "--parameter-overrides", *overrides]
        env = {**os.environ, **self.aws, "SAM_CLI_TELEMETRY": "0"}
        with log.open("w") as output:
            done = subprocess.run(command, cwd=self.root, env=env, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise StackError(f"`sam deploy` failed, see {log}")
        self.outputs.cache_clear()
        self.apply_gateway_responses()
        mark.write_text(build)

    def digest(self):
        """Changes when anything does that is deployed."""
        digest = hashlib.sha256(json.dumps(self.parameters, sort_keys=True).encode())
        build = self.root / ".aws-sam/build"
        for file in [self.root / "template.yaml", *sorted(build.glob("*/bootstrap"))]:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    @cache
    def outputs(self):
        cloudformation = client("cloudformation", self.aws)
        try:
            stack = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except cloudformation.exceptions.ClientError:
            return {}
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def api_url(self):
        return f"{self.aws['AWS_ENDPOINT_URL']}/_aws/execute-api/{self.outputs()['ApiId']}/v1"

    def apply_gateway_responses(self):
        """The emulator does not import gateway responses from the API's OpenAPI document, as AWS does."""
        api = template(self.root)["Resources"]["Api"]["Properties"]
        gateway = client("apigateway", self.aws)
        api_id = self.outputs()["ApiId"]
        for kind, response in api["GatewayResponses"].items():
            headers = response.get("ResponseParameters", {}).get("Headers", {})
            request = {
                "restApiId": api_id,
                "responseType": kind,
                "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
                "responseTemplates": response["ResponseTemplates"],
            }
            if "StatusCode" in response:
                request["statusCode"] = str(response["StatusCode"])
            gateway.put_gateway_response(**request)
        gateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def template(root):
    """template.yaml with its intrinsic functions left as plain values."""

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader, _suffix, node):
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_mapping(node, deep=True)

    Loader.add_multi_constructor("!", plain)
    return yaml.load((root / "template.yaml").read_text(), Loader)
