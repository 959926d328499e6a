"""Deploys the built service into an emulator with `sam deploy`, when something changed."""

import json
from functools import cache
from pathlib import Path

import demo
import sam
import yaml
from aws import client
from processes import say
from sam import ROOT


# Pages of these may call the local API, beside examples/live: where the development servers of storefronts usually are.
ORIGINS = ["http://localhost:3000", "http://localhost:5173"]


class Deployment:
    """The service's stack in one emulator."""

    name = "orders"

    def __init__(self, folder: Path, aws: dict, partners_url: str, page_url: str):
        self.folder = folder
        self.aws = aws
        self.partners_url = partners_url
        encrypted = partners_url.replace("http://", "https://")
        self.parameters = {
            "CustomerServiceUrl": encrypted,
            "InventoryServiceUrl": encrypted,
            "TokenIssuer": partners_url,
            "Reconcile": "ENABLED",
            "InspectionQueues": "ENABLED",
            "SocketsUrl": f"{aws['AWS_ENDPOINT_URL']}/_aws/execute-api",
            "GradualDeployment": "false",
            "CheckCustomer": "cust-1",
            "CheckProduct": "sku-1",
            "Jwks": f"{encrypted}/.well-known/jwks.json",
            "AllowedOrigins": ",".join([*ORIGINS, page_url]),
            # A storefront with limits that a few requests reach.
            "StorefrontsWithKey": "slow",
            "StandardRate": "1",
            "StandardBurst": "2",
        }

    def deploy(self):
        # The partners make their authority at their first start.
        authority = demo.text(f"{self.partners_url}/admin/authority")
        self.parameters["PartnerCa"] = authority.strip().replace("\n", "\\n")
        mark = self.folder / "deployed"
        digest = self.digest()
        if mark.exists() and mark.read_text() == digest and self.outputs():
            say("the deployed stack is up to date")
            return
        if mark.exists() and not self.outputs():
            say("the emulator has no stack any more: its orders are gone, the service is deployed anew")
        say("deploying")
        sam.deploy(self.folder, self.name, {**self.parameters, "Release": digest[:10]}, self.aws)
        self.outputs.cache_clear()
        self.apply_what_the_emulator_does_not_import()
        mark.write_text(digest)

    def digest(self):
        """Changes when anything does that is deployed."""
        return sam.digest(sam.built(self.folder), json.dumps(self.parameters, sort_keys=True))

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

    def live_url(self):
        return f"{self.aws['AWS_ENDPOINT_URL'].replace('http', 'ws', 1)}/_aws/execute-api/{self.outputs()['SocketApiId']}/v1"

    def apply_what_the_emulator_does_not_import(self):
        """Gateway responses, and the answers to preflight requests, are in the API's OpenAPI document, as AWS takes them."""
        api = template()["Resources"]["Api"]["Properties"]
        gateway = client("apigateway", self.aws)
        api_id = self.outputs()["ApiId"]
        for kind, response in api["GatewayResponses"].items():
            headers = response.get("ResponseParameters", {}).get("Headers", {})
            request = {
                "restApiId": api_id,
                "responseType": kind,
                "responseParameters": {f"gatewayresponse.header.{name}": plain(value) for name, value in headers.items()},
                "responseTemplates": response["ResponseTemplates"],
            }
            if "StatusCode" in response:
                request["statusCode"] = str(response["StatusCode"])
            gateway.put_gateway_response(**request)
        resources = {resource["path"]: resource["id"] for resource in gateway.get_resources(restApiId=api_id, limit=500)["items"]}
        for path, methods in api["DefinitionBody"]["paths"].items():
            answer = plain(methods["options"])["x-amazon-apigateway-integration"]["responses"]["default"]
            gateway.put_integration_response(
                restApiId=api_id,
                resourceId=resources[path],
                httpMethod="OPTIONS",
                statusCode=answer["statusCode"],
                # The template in the answer looks for further origins. The emulator would send it as the body.
                responseParameters={name: plain(value) for name, value in answer["responseParameters"].items()},
            )
        gateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def plain(value):
    """A value that depends on AllowedOrigins, which a local stack has."""
    match value:
        case ["HasAllowedOrigins", then, _]:
            return then
        case [str(text), {"Origin": _}]:
            return text.replace("${Origin}", ORIGINS[0])
        case _:
            return value


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
