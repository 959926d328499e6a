"""The TypeScript client works against the stack: its own tests answer by script."""

import os
import shutil
import unittest
import uuid

import demo
from shell import FOLDER, ROOT, run


class TypeScript(unittest.TestCase):
    def test_orders_are_placed_read_listed_edited_shipped_and_counted(self):
        # `make typescript` is at work in the folder itself.
        folder = FOLDER / "typescript-client"
        shutil.copytree(ROOT / "clients/typescript", folder, ignore=shutil.ignore_patterns("node_modules", "dist", "build"))
        for command in ["ci"], ["run", "test:stack"]:
            done = run("npm", "--prefix", str(folder), *command, env={**os.environ, "TOKEN": token()})
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)


def token():
    """One of a storefront that has no orders yet."""
    wish = {"tenant": f"t-{uuid.uuid4().hex}", "sub": "typescript", "scope": "orders:read orders:write"}
    return demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]
