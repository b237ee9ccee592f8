package tidelock.security.settings

# METADATA
# title: Ports that may face the internet
# description: TCP and UDP ports that may be open to every address.
# custom:
#   tighter: fewer
default public_ports := [80, 443]

public_ports := input.settings.security.public_ports
