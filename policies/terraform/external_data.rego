# METADATA
# scope: package
# title: A data source runs a program
# description: Finds data sources that start a program whenever Terraform plans.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     The program runs with each plan, before anyone has approved anything: whoever opens a pull
#     request chooses what it does with the credentials that the plan has.
#   mend: >-
#     Read the value with a data source of a provider, or hand it in as a variable. If the program
#     must stay, let the plan's credentials read only, and keep the program under review.
#   controls:
#     soc2: ["CC6.8", "CC8.1"]
#     iso27001_2022: ["A.8.19", "A.8.32"]
#   examples:
#     bad:
#       hcl: |
#         data "external" "version" {
#           program = ["python3", "version.py"]
#         }
#     good:
#       hcl: |
#         data "aws_ssm_parameter" "version" {
#           name = "/app/version"
#         }
package tidelock.terraform.external_data

import data.tidelock.terraform.code
import data.tidelock.terraform.settings

deny contains {"address": address, "msg": message} if {
	some type in settings.program_types
	some address in code.read[type]
	message := sprintf("This %s data source runs a program with every plan.", [type])
}
