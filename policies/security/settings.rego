package tidelock.security.settings

# METADATA
# title: Ports that may face the internet
# description: TCP and UDP ports that may be open to every address.
# custom:
#   tighter: fewer
default public_ports := [80, 443]

public_ports := input.settings.security.public_ports

# METADATA
# title: Lambda runtimes that have ended
# description: Names of runtimes that AWS gives no more security patches to.
# custom:
#   tighter: more
default ended_lambda_runtimes := [
	"dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0", "dotnet6", "dotnet7",
	"go1.x", "java8", "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x",
	"nodejs14.x", "nodejs16.x", "nodejs18.x", "provided", "python2.7", "python3.6", "python3.7", "python3.8", "python3.9",
	"ruby2.5", "ruby2.7", "ruby3.2",
]

ended_lambda_runtimes := input.settings.security.ended_lambda_runtimes
