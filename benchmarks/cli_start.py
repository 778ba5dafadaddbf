"""How long `ar-bridge --help` takes, beside the bare interpreter of the same machine."""

import json
import resource
import subprocess
import sys
import time

CALLS = 15


def fastest(*arguments: str) -> float:
    """Seconds of the fastest of several calls: the others waited for something else."""
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    bare = fastest("-c", "pass")
    helped = fastest("-m", "ar_bridge", "--help")
    print(
        json.dumps(
            {
                "benchmark": "cli_start",
                "n": CALLS,
                "seconds": round(helped, 4),
                "bare_interpreter_seconds": round(bare, 4),
                "times_bare": round(helped / bare, 1),
                "peak_rss_mb": round(
                    resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
