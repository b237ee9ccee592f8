# METADATA
# scope: package
# title: A module over an open line
# description: Denies module sources by plain HTTP, the git protocol or FTP.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     Whoever sits on the way can read the module and put another in its place: these protocols
#     neither hide what they carry nor prove who sent it. What comes is run with the plan's
#     credentials.
#   mend: >-
#     Write https:// or ssh:// instead. If the host offers neither, bring the module into the
#     repository or into a registry.
#   controls:
#     soc2: ["CC6.7", "CC9.2"]
#     iso27001_2022: ["A.5.21", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         module "vpc" {
#           source = "git::http://git.example.com/acme/vpc.git?ref=v1.4.0"
#         }
#     good:
#       hcl: |
#         module "vpc" {
#           source = "git::https://git.example.com/acme/vpc.git?ref=v1.4.0"
#         }
package tidelock.terraform.insecure_source

import data.tidelock.terraform.code
import data.tidelock.terraform.source

deny contains {"address": call.address, "msg": message} if {
	some call in code.calls
	source.unsafe(call.source)
	message := sprintf("This module is fetched by %s://, which anyone on the way can change.", [protocol(call.source)])
}

protocol(text) := regex.find_all_string_submatch_n(`([a-z]+)://`, text, 1)[0][1]
