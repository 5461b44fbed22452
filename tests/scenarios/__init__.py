"""Whether the laws of delivery hold while everything goes wrong. `make scenarios` runs it.

The same scenarios run over a real Kafka, each service a process of its own that is killed with SIGKILL, and over the
memory bus (`BUS=memory`), where a crash cuts a service's hands off. A law that is broken is named, and the exit code
is 1. The video decoder is stood in for by mouths that were found in `samples/` before; all else is real.
"""
