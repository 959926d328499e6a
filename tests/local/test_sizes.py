"""scripts/check_sizes.py notices a function that has become too large, by itself or zipped."""

import os
import tempfile
import unittest
from pathlib import Path

from shell import PYTHON, errors, run


class Sizes(unittest.TestCase):
    def test_small_functions_pass(self):
        with built(GetOrderFunction=os.urandom(2_400_000), GetExportFunction=os.urandom(3_000_000)) as folder:
            self.assertEqual("2 functions are within their size limits\n", check(folder).stdout)

    def test_each_function_that_is_too_large_is_named(self):
        programs = {"CreateOrderFunction": bytes(6_100_000), "GetOrderFunction": os.urandom(2_600_000)}
        with built(**programs) as folder:
            [line] = errors(check(folder))
        self.assertEqual(
            "error: CreateOrderFunction is 6.10 MB; the limit is 6.0. GetOrderFunction is 2.60 MB zipped; the limit is 2.5",
            line,
        )

    def test_a_folder_without_functions_is_refused(self):
        with built() as folder:
            [line] = errors(check(folder))
        self.assertEqual(f"error: no functions in {folder}: run `make build`", line)


class built(tempfile.TemporaryDirectory):
    """A folder with these programs."""

    def __init__(self, **programs):
        super().__init__()
        for function, content in programs.items():
            program = Path(self.name) / function / "bootstrap"
            program.parent.mkdir()
            program.write_bytes(content)


def check(folder):
    return run(PYTHON, "scripts/check_sizes.py", folder)
