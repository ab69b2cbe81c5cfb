#!/bin/bash
# Right when something answers on this director's port 80: a process that hangs is alive, and of no use.
exec 3<>/dev/tcp/127.0.0.1/80
