"""What a worker process does about its own end."""

import os
import signal
import threading
import time
from multiprocessing import parent_process

CHECK_S = 0.5
FINISH_S = 1.5


def end_with_parent() -> None:
    """End this process soon after its parent: a worker whose server was killed would hold the port, and nobody could stop it."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == parent.pid:
            time.sleep(CHECK_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(FINISH_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
