#!/bin/bash
SERVER=$1
OK=`curl -s -H "Host: sys.example.com" http://$SERVER/monitor.html | grep "<body>OK</body>"`
echo $OK
if [ "$OK" == "" ] ; then
exit 1;
else
exit 0;
fi
