"""`make watch` serves orders, and every command that README.md and docs show is run, but for those of other tests."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest

import demo
import yaml
from processes import answers as is_served
from processes import free_port, wait_until
from shell import FOLDER, ROOT, run, watch

# All but the decisions, which only mention commands, and docs/deploy.md, whose commands take an AWS account.
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "clients/typescript/README.md"]
DOCUMENTS += [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "deploy.md"]

# What cannot run here, and where it is proved.
ELSEWHERE = {
    "make run": "test_life.py",
    "make down": "test_life.py",
    "make reset": "test_scripts.py",
    "make watch": "it serves the other commands of these tests",
    "cargo lambda watch": "`make watch` runs it",
    "make test": "it runs this",
    "make reference": "it serves until it is stopped; see below",
    "make redrive": "test_redrive.py",
    "make rebuild-reports": "test_reports.py",
    "make reconcile": "tests/outages/reconcile.rs; here it would report the events that other tests lost on purpose",
    "make schemas": "shared/adapters/tests/events_contract.rs",
    "make simulate SEEDS=100000": "the same takes minutes; `make unit` runs fewer seeds",
    'make reconcile ARGS="--from 2026-01-31T09:00:00Z --to 2026-01-31T10:00:00Z --republish"': "as `make reconcile`",
    "npm test": "`make typescript` runs it",
    "npm run test:stack": "test_typescript.py",
    "npm run generate": "shared/adapters/tests/openapi writes the document; `npm test` compares the types",
    "make deploy": "it takes an AWS account; test_parameters.py shows what it runs",
    "make smoke URL=... TOKEN=...": "test_smoke.py",
    "make load URL=... TOKEN=...": "test_load.py",
    "make bench": "it takes minutes of release builds, and a quiet machine",
    "make bench CHECK=1": "as `make bench`",
    "make bench-load": "as `make bench`",
    "make bench-growth": "as `make bench`",
    "make gameday": "test_gameday.py",
    'sam deploy --parameter-overrides "CursorSecretVersion=$VERSION"': "it takes an AWS account; test_rotation.py rotates it here",
    "make measure-line": "it takes minutes of release builds",
    "make supply-chain": "`make test` runs it beside this",
    "make unit": "`make test` runs it beside this",
    "make typescript": "`make test` runs it beside this",
    "make site": "`make test` runs it beside this",
    "make lint-template": "`make test` runs it beside this",
    "cargo test -p adapters --test openapi": "`make unit` runs it",
    "cargo test -p create-order": "`make unit` runs it",
    "cargo test -p order-service-client": "`make unit` runs it",
    "make fuzz": "it takes minutes, and a C++ compiler; tests/fuzz/tests replays its corpus",
    "make audit": "it fetches the advisories from GitHub",
    "uv pip compile --no-deps --generate-hashes --no-annotate --no-header requirements.txt -o requirements.new": "it takes uv",
    "make build": "as `sam build`; test_sizes.py shows how it ends",
    "sam build": "it takes minutes; `make run` builds the same template for this machine",
    "sam deploy": "it takes an AWS account",
}

# Of the reader's own identity provider.
FOREIGN = 'curl -s "$JWKS_URL" | jq '

TYPESCRIPT = "clients/typescript"

COMMAND = re.compile(r"(make|cargo|sam|source|curl|node|npm) \S")


class Pipeline(unittest.TestCase):
    def test_the_role_trusts_the_environment_of_the_workflow_which_is_bound_to_main(self):
        workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
        document = (ROOT / "docs/deploy.md").read_text()
        environment = workflow["jobs"]["deploy"]["environment"]
        self.assertEqual([environment], re.findall(r'actions\.githubusercontent\.com:sub": "repo:OWNER/REPOSITORY:environment:(\w+)"', document))
        rules = f"repos/OWNER/REPOSITORY/environments/{environment}"
        self.assertIn(f"gh api --method PUT {rules} ", document)
        self.assertIn(f"gh api --method POST {rules}/deployment-branch-policies -f name=main -f type=branch\n", document)
        self.assertIn("github.ref == 'refs/heads/main'", workflow["jobs"]["deploy"]["if"])


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = cls.enterClassContext(watch())[1]
        # `make typescript` is at work in the folder itself.
        shutil.copytree(ROOT / TYPESCRIPT, FOLDER / "typescript", ignore=shutil.ignore_patterns("node_modules", "dist", "build"))

    def test_an_order_placed_through_watch_is_confirmed_at_once(self):
        # The first request builds the function.
        status, _, order = demo.call("POST", f"http://127.0.0.1:{self.port}/orders", demo.ORDER, timeout=900)
        self.assertEqual((201, "confirmed"), (status, order["status"]))

    def test_the_commands_of_every_document_work(self):
        self.assertGreater(sum(len(list(commands(document))) for document in DOCUMENTS), 40, "commands were not found")
        for document in DOCUMENTS:
            with self.subTest(document=document):
                wanted = [command for command in commands(document) if not is_excused(command)]
                done = self.run_all(wanted)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_the_answers_shown_have_the_form_of_the_real_ones(self):
        for document in DOCUMENTS:
            for command, shown in answers(document):
                with self.subTest(command=command):
                    done = self.run_all(["source .local/stack.env", command])
                    self.assertEqual(form(json.loads(shown)), form(json.loads(done.stdout)))

    def test_make_reference_serves_the_reference_and_the_document_it_shows(self):
        port = str(free_port())
        server = subprocess.Popen(["make", "reference", f"DOCS_PORT={port}"], cwd=ROOT, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until("the start of `make reference`", lambda: is_served(f"{url}/site/"), 60)
            self.assertTrue(is_served(f"{url}/openapi.yaml"))
        finally:
            os.killpg(server.pid, signal.SIGINT)
            server.wait(20)

    def test_nothing_is_excused_that_is_not_shown(self):
        shown = {command for document in DOCUMENTS for command in commands(document)}
        self.assertEqual(set(), set(ELSEWHERE) - shown)

    def run_all(self, lines):
        """In one shell that stops at the first failure, and where an error of HTTP is one."""
        script = "\n".join(["set -eu -o pipefail", 'curl() { command curl --fail-with-body "$@"; }', "set -x", *lines])
        elsewhere = {".local/stack.env": f"{FOLDER}/stack.env", "9000": str(self.port), TYPESCRIPT: f"{FOLDER}/typescript"}
        for shown, here in elsewhere.items():
            script = script.replace(shown, here)
        return run("bash", "-c", script, env=os.environ)


def commands(document):
    """The commands of a document, from its shell blocks and from its text, in order."""
    for block, span in re.findall(r"^```sh\n(.*?)^```|`([^`\n]+)`", text(document), re.DOTALL | re.MULTILINE):
        if block:
            yield from lines(block)
        elif COMMAND.match(span):
            yield span


def is_excused(command):
    return command in ELSEWHERE or is_aws(command) or command.startswith(FOREIGN)


def is_aws(command):
    """Commands of the AWS CLI, which this project does not install: loops over one as well."""
    return re.match(r"(\w+=\$\()?aws |for .*; do$|done$", command)


def answers(document):
    """The last command of each shell block that a JSON answer follows, with the answer."""
    for block, answer in re.findall(r"^```sh\n([^`]*)^```\n\n```json\n([^`]*)^```", text(document), re.MULTILINE):
        yield list(lines(block))[-1], answer


def lines(block):
    """A command each, whole and without its comment."""
    for line in block.replace("\\\n", " ").splitlines():
        if command := re.sub(r"\s+", " ", line.partition(" # ")[0]).strip():
            yield command


def text(document):
    return (ROOT / document).read_text()


def form(value):
    """The names and types of a JSON value; a list is as its first element."""
    match value:
        case dict():
            return {name: form(member) for name, member in value.items()}
        case list():
            return [form(member) for member in value[:1]]
        case _:
            return type(value)
