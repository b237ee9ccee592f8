# METADATA
# scope: package
# title: A secret in a variable's default
# description: Finds variables that are sensitive, or named like a secret, and whose default is a text.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A default stands in the repository for everyone who can read it, for good: taking it out later
#     leaves it in the history. And whoever forgets to set the variable runs with a known password.
#   mend: >-
#     Take the default away, so that the variable must be set, or write null. Read the secret from a
#     secrets manager, and change the one that stood there.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.4"]
#   examples:
#     bad:
#       hcl: |
#         variable "db_password" {
#           default = "correct-horse"
#         }
#     good:
#       hcl: |
#         variable "db_password" {
#           default   = null
#           sensitive = true
#         }
package tidelock.terraform.secret_defaults

import data.tidelock.patterns
import data.tidelock.terraform.code
import data.tidelock.terraform.settings

deny contains {"address": v.address, "msg": message} if {
	some v in code.variables
	is_string(v.declared.default)
	trim_space(v.declared.default) != ""
	what := hidden(v)
	message := sprintf("The variable %s %s and has a default in the code.", [v.name, what])
}

deny contains {"msg": message} if {
	some pattern in patterns.invalid(settings.secret_names)
	message := sprintf("The setting terraform.secret_names has %q, which is no regular expression.", [pattern])
}

hidden(v) := "is sensitive" if v.declared.sensitive

else := "is named like a secret" if {
	some pattern in settings.secret_names
	regex.match(sprintf("(?i)%s", [pattern]), v.name)
}
