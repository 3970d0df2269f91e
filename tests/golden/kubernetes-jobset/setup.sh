# shellcheck shell=bash disable=all
# What the site needs before Python starts (launch.setup of the spec), read by every script of this bundle.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set +u # module and conda scripts read variables that are not set
source /opt/site.sh
set -u
