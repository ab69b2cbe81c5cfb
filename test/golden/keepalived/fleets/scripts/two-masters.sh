#!/bin/sh
logger -t two-masters -- "$*"
