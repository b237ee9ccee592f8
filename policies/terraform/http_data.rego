# METADATA
# scope: package
# title: A data source asks the web
# description: Finds data sources that fetch from any address on the web whenever Terraform plans.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     The answer can be another one at the apply than at the review, and the request can carry out
#     what the configuration knows. The address is chosen by whoever opens the pull request.
#   mend: >-
#     Put the value into the code or into a variable, or read it with a data source of the provider
#     that the value comes from.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.12", "A.8.23"]
#   examples:
#     bad:
#       hcl: |
#         data "http" "my_ip" {
#           url = "https://ip.example.com"
#         }
#     good:
#       hcl: |
#         variable "office_cidr" {
#           default = "198.51.100.0/24"
#         }
#         resource "aws_ec2_managed_prefix_list" "office" {
#           name = "office"
#           entry {
#             cidr = var.office_cidr
#           }
#         }
package tidelock.terraform.http_data

import data.tidelock.terraform.code
import data.tidelock.terraform.settings

deny contains {"address": address, "msg": message} if {
	some type in settings.web_types
	some address in code.read[type]
	message := sprintf("This %s data source fetches from the web with every plan.", [type])
}
