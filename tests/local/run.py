"""The tests of what people run on their machine: scripts, Makefile and the commands of the documents.

They run against the stack that the environment names (see `make e2e`); the last ones kill it and take it down.
"""

import sys
import unittest
from pathlib import Path

# The logs are searched once everything else has been run; test_life.py kills the emulator, and its logs with it.
SUITES = [
    "test_template",
    "test_operations",
    "test_parameters",
    "test_check_release",
    "test_sizes",
    "test_roles",
    "test_functions",
    "test_scripts",
    "test_sockets",
    "test_live_page",
    "test_documents",
    "test_redrive",
    "test_reports",
    "test_throttling",
    "test_consumers",
    "test_typescript",
    "test_rotation",
    "test_smoke",
    "test_load",
    "test_gameday",
    "test_logs.Logs",
    "test_life",
]


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or SUITES)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
