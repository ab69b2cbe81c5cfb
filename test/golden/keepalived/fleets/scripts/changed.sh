#!/bin/sh
logger -t changed -- "$*"
