"""Deploys the built service into an emulator with `sam deploy`, when something changed."""

import hashlib
import json
from functools import cache
from pathlib import Path

import sam
import yaml
from aws import client
from processes import say
from sam import ROOT


class Deployment:
    """The service's stack in one emulator."""

    name = "orders"

    def __init__(self, folder: Path, aws: dict, partners_url: str):
        self.folder = folder
        self.aws = aws
        self.parameters = {
            "CustomerServiceUrl": partners_url,
            "InventoryServiceUrl": partners_url,
            "TokenIssuer": partners_url,
            "Reconcile": "ENABLED",
            "InspectionQueues": "ENABLED",
            "PlainHttp": "ENABLED",
            # A storefront with limits that a few requests reach.
            "StorefrontsWithKey": "slow",
            "StandardRate": "1",
            "StandardBurst": "2",
            "Jwks": f"{partners_url}/.well-known/jwks.json",
        }

    def deploy(self):
        mark = self.folder / "deployed"
        digest = self.digest()
        if mark.exists() and mark.read_text() == digest and self.outputs():
            say("the deployed stack is up to date")
            return
        if mark.exists() and not self.outputs():
            say("the emulator has no stack any more: its orders are gone, the service is deployed anew")
        say("deploying")
        sam.deploy(self.folder, self.name, self.parameters, self.aws)
        self.outputs.cache_clear()
        self.apply_gateway_responses()
        mark.write_text(digest)

    def digest(self):
        """Changes when anything does that is deployed."""
        digest = hashlib.sha256(json.dumps(self.parameters, sort_keys=True).encode())
        for file in [ROOT / "template.yaml", *sorted(sam.built(self.folder).glob("*/bootstrap"))]:
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
        api = template()["Resources"]["Api"]["Properties"]
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


def template():
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
    return yaml.load((ROOT / "template.yaml").read_text(), Loader)
