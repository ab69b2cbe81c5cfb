#!/bin/bash
# Right when the site that is told apart by its Host header says OK. $1: address of the real server.
SERVER=$1
OK=$(curl -s --max-time 2 -H 'Host: sys.example.com' "http://$SERVER/monitor.html" | grep '<body>OK</body>')
if [ "$OK" == "" ]; then
  exit 1
else
  exit 0
fi
