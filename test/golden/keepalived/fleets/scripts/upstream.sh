#!/bin/sh
exec test ! -e /run/upstream-lost
