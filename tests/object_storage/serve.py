"""S3-compatible object storage (moto's server) until standard input ends; prints its port. Run in its own environment.

moto wants an older python-dateutil than Finer does, so the two are not installed together.
"""

import sys

from moto.server import ThreadedMotoServer  # type: ignore[import-not-found]

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
