# METADATA
# scope: package
# title: A provider is not pinned
# description: Finds providers of the root module without a version constraint, or with one that lets any newer version in.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A new major version of a provider removes arguments and changes defaults. Where none is named,
#     it comes with the next init -upgrade or the next machine without a lock file.
#   mend: >-
#     Name a version in required_providers, such as "~> 6.0", and commit .terraform.lock.hcl.
#   controls:
#     soc2: ["CC8.1", "CC9.2"]
#     iso27001_2022: ["A.5.21", "A.8.32"]
#   examples:
#     bad:
#       hcl: |
#         terraform {
#           required_providers {
#             aws = {
#               source  = "hashicorp/aws"
#               version = ">= 5.0"
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
package tidelock.terraform.unpinned_providers

import data.tidelock.terraform.code
import data.tidelock.terraform.source

# A provider of a module only is that module's: modules are to be open to
# newer providers, and the root is to choose.
deny contains {"msg": message} if {
	some name, constraints in root
	not source.bounded(concat(",", constraints))
	message := told(name, constraints)
}

# One provider may have several configurations; each shows the constraint.
root[config.name] contains object.get(config, "version_constraint", "") if {
	some config in code.configuration.provider_config
	not config.module_address
	not startswith(object.get(config, "full_name", ""), "terraform.io/builtin/")
}

told(name, constraints) := sprintf("The provider %s has no version constraint.", [name]) if concat("", constraints) == ""

else := sprintf("The constraint %q lets any newer version of the provider %s in.", [concat(", ", constraints), name])
