# METADATA
# scope: package
# title: A secret in an open output
# description: Finds outputs of the root module that are made of something sensitive and are not marked so themselves.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Terraform prints an output that is not sensitive, and so it stands in logs, comments and in
#     everything that reads the state's outputs. Only nonsensitive() lets such an output through.
#   mend: >-
#     Write sensitive = true in the output and take nonsensitive() away. If the value tells nothing
#     of the secret, as a length or a hash does not, it may stay.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.12"]
#   examples:
#     bad:
#       hcl: |
#         variable "password" {
#           default   = null
#           sensitive = true
#         }
#         output "password" {
#           value = nonsensitive(var.password)
#         }
#     good:
#       hcl: |
#         variable "password" {
#           default   = null
#           sensitive = true
#         }
#         output "password" {
#           value     = var.password
#           sensitive = true
#         }
package tidelock.terraform.unmarked_outputs

import data.tidelock.plan
import data.tidelock.terraform.code

deny contains {"address": sprintf("output.%s", [name]), "msg": message} if {
	some name, output in code.configuration.root_module.outputs
	not output.sensitive
	some ref in output.expression.references
	secret(ref)
	message := sprintf("The output %s shows what comes of %s, which is sensitive.", [name, ref])
}

secret(ref) if code.configuration.root_module.variables[trim_prefix(ref, "var.")].sensitive

secret(ref) if {
	[type, name, attribute] := split(regex.replace(ref, `\[[^\]]*\]`, ""), ".")
	some rc in plan.standing[type]
	rc.name == name
	not rc.module_address
	rc.change.after_sensitive[attribute] == true
}
