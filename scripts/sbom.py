"""Writes what the deployed functions are made of as a CycloneDX document, without what only tests and builds need.

    sbom.py FILE
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent

# What is deployed by default; the crates of the other architecture are the same.
TARGET = "aarch64-unknown-linux-gnu"


def main(path):
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", TARGET))
    functions = metadata["workspace_default_members"]
    names, checksums = linked(), lock()
    packages = {package["id"]: package for package in metadata["packages"] if key(package) in names}
    components = {id: component(package, checksums.get(key(package)), id in functions) for id, package in packages.items()}

    bom = Bom()
    service = Component(name="orders", version=packages[functions[0]]["version"], type=ComponentType.APPLICATION, bom_ref="orders")
    bom.metadata.component = service
    bom.components.update(components.values())
    bom.register_dependency(service, [components[id] for id in functions])
    for node in metadata["resolve"]["nodes"]:
        if node["id"] in components:
            needed = [other["pkg"] for other in node["deps"] if any(kind["kind"] is None for kind in other["dep_kinds"])]
            bom.register_dependency(components[node["id"]], [components[id] for id in needed if id in components])
    document = JsonV1Dot6(bom).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(document):
        sys.exit(f"error: the document breaks the schema of CycloneDX 1.6: {error}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(document + "\n")
    print(f"{path}: {len(components) - len(functions)} crates in {len(functions)} functions")


def linked():
    """Name and version of every crate that is compiled into a function, with the features that functions use."""
    edges = ("--edges", "normal,no-proc-macro", "--target", TARGET)
    tree = cargo("tree", *edges, "--prefix", "none", "--format", "{p}")
    return {(line.split()[0], line.split()[1].removeprefix("v")) for line in tree.splitlines() if line}


def lock():
    """The checksum of every crate of a registry."""
    crates = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {key(crate): crate["checksum"] for crate in crates if "checksum" in crate}


def key(package):
    return package["name"], package["version"]


def component(package, checksum, is_function):
    name, version = key(package)
    return Component(
        type=ComponentType.APPLICATION if is_function else ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("cargo", None, name, version) if package["source"] else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else None,
        licenses=[LicenseFactory().make_from_string(package["license"].replace("/", " OR "))],
    )


def cargo(*arguments):
    command, *rest = arguments
    return subprocess.run(["cargo", command, "--locked", *rest], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
