# METADATA
# scope: package
# title: Notebook that is open to the internet (AWS)
# description: Finds SageMaker notebooks and domains with direct internet access or root rights.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A notebook holds data and credentials and runs whatever is pasted into it. With its own way
#     to the internet, nothing sees what leaves it.
#   mend: >-
#     Set direct_internet_access = "Disabled" with a subnet, root_access = "Disabled" and
#     app_network_access_type = "VpcOnly".
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.2", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_sagemaker_notebook_instance" "lab" {
#           name          = "lab"
#           instance_type = "ml.t3.medium"
#         }
#     good:
#       hcl: |
#         resource "aws_sagemaker_notebook_instance" "lab" {
#           name                   = "lab"
#           instance_type          = "ml.t3.medium"
#           subnet_id              = "subnet-0a1b2c3d"
#           direct_internet_access = "Disabled"
#           root_access            = "Disabled"
#         }
package tidelock.security.aws.sagemaker_notebook

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_sagemaker_notebook_instance"})
	some argument in {"direct_internet_access", "root_access"}
	aws.value(rc, [argument], "Enabled") == "Enabled"
	message := sprintf("%s is Enabled.", [argument])
}

deny contains {"address": rc.address, "msg": "app_network_access_type is PublicInternetOnly."} if {
	some rc in aws.of({"aws_sagemaker_domain"})
	aws.value(rc, ["app_network_access_type"], "PublicInternetOnly") == "PublicInternetOnly"
}
