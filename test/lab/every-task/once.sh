echo "done for $1" >/srv/demo/once
