# METADATA
# scope: package
# title: Code from an unknown place
# description: Finds providers and modules that come from a registry, a namespace or a host that the settings do not name.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A provider is a program that runs with the plan's credentials, and a module decides what is
#     built. One letter wrong in a name is enough to fetch a stranger's.
#   mend: >-
#     Look whether the name is spelled right. If the place is to be trusted, an owner of the
#     policies adds it to registries, provider_namespaces or module_hosts.
#   controls:
#     soc2: ["CC6.8", "CC9.2"]
#     iso27001_2022: ["A.5.21", "A.8.19"]
#   examples:
#     bad:
#       hcl: |
#         terraform {
#           required_providers {
#             aws = {
#               source  = "registry.example.net/hashicorp/aws"
#               version = "~> 6.0"
#             }
#           }
#         }
#         provider "aws" {}
#     good:
#       hcl: |
#         terraform {
#           required_providers {
#             aws = {
#               source  = "hashicorp/aws"
#               version = "~> 6.0"
#             }
#           }
#         }
#         provider "aws" {}
package tidelock.terraform.unknown_registries

import data.tidelock.terraform.code
import data.tidelock.terraform.settings
import data.tidelock.terraform.source

deny contains {"msg": message} if {
	some [host, _, full] in providers
	not known(host, settings.registries)
	message := sprintf("The provider %s comes from the registry %s, which is not among the known ones.", [full, host])
}

deny contains {"msg": message} if {
	some [host, namespace, full] in providers
	known(host, settings.registries)
	not known(namespace, settings.provider_namespaces)
	message := sprintf("The provider %s is of the namespace %s, which is not among the known ones.", [full, namespace])
}

deny contains {"address": call.address, "msg": message} if {
	some call in code.calls
	host := source.registry_host(call.source)
	not known(host, settings.registries)
	message := sprintf("This module comes from the registry %s, which is not among the known ones.", [host])
}

deny contains {"address": call.address, "msg": message} if {
	some call in code.calls
	host := source.host(call.source)
	not known(host, settings.module_hosts)
	message := sprintf("This module comes from %s, which is not among the known hosts.", [host])
}

# Modules' own providers are asked about too: they are fetched all the same.
providers contains [host, namespace, config.full_name] if {
	some config in code.configuration.provider_config
	[host, namespace, _] := split(config.full_name, "/")
	host != "terraform.io"
}

known(name, patterns) if {
	some pattern in patterns
	glob.match(lower(pattern), null, lower(name))
}
