"""Checks that no function built for AWS is above its size limit (docs/performance.md).

    check_sizes.py [FOLDER]     FOLDER has what `sam build` made: .aws-sam/build, if none is named
"""

import sys
import zlib
from pathlib import Path

MB = 1_000_000

# The program, and the program zipped.
MOST = (6.0, 2.5)

# They link the SDK of S3.
WITH_S3 = {"GetExportFunction", "WriteExportFunction"}
MOST_WITH_S3 = (6.5, 3.2)


def excess(program):
    """What of a function is above its limit."""
    function = program.parent.name
    content = program.read_bytes()
    sizes = (len(content) / MB, len(zlib.compress(content)) / MB)
    for size, most, of in zip(sizes, MOST_WITH_S3 if function in WITH_S3 else MOST, ("", " zipped")):
        if size > most:
            yield f"{function} is {size:.2f} MB{of}; the limit is {most}"


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".aws-sam/build")
    programs = sorted(folder.glob("*/bootstrap"))
    if not programs:
        sys.exit(f"error: no functions in {folder}: run `make build`")
    found = [text for program in programs for text in excess(program)]
    if found:
        sys.exit(f"error: {'. '.join(found)}")
    print(f"{len(programs)} functions are within their size limits")


if __name__ == "__main__":
    main()
