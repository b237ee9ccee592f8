# METADATA
# scope: package
# title: Instance metadata without a token (AWS)
# description: Finds instances and launch templates whose metadata service answers requests without a session token (IMDSv1).
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A web application that can be made to fetch an address hands out the credentials of the
#     machine's role. Version 2 asks for a token first, which such a request can't get.
#   mend: >-
#     Set http_tokens = "required" in metadata_options, and http_put_response_hop_limit = 2 where
#     containers need it.
#   controls:
#     cis_aws_3.0: ["5.6"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.9", "A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami           = "ami-0abcdef1234567890"
#           instance_type = "t3.micro"
#         }
#     good:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami           = "ami-0abcdef1234567890"
#           instance_type = "t3.micro"
#           metadata_options {
#             http_tokens = "required"
#           }
#         }
package tidelock.security.aws.imdsv1

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "The metadata service answers without a token: http_tokens is not \"required\"."} if {
	some rc in aws.of({"aws_instance", "aws_launch_template", "aws_launch_configuration", "aws_spot_instance_request"})
	not safe_account
	not from_template(rc)
	aws.chosen(rc, ["metadata_options", 0, "http_endpoint"], "enabled") == "enabled"
	aws.chosen(rc, ["metadata_options", 0, "http_tokens"], "optional") == "optional"
}

deny contains {"address": rc.address, "msg": "Instances of this account need no token by default."} if {
	some rc in aws.of({"aws_ec2_instance_metadata_defaults"})
	rc.change.after.http_tokens == "optional"
}

safe_account if {
	some rc in plan.of("aws_ec2_instance_metadata_defaults")
	rc.change.after.http_tokens == "required"
}

# What an instance does not say itself, its launch template does, and the
# template is judged.
from_template(rc) if {
	count(aws.blocks(rc.change.after, "launch_template")) > 0
	count(aws.blocks(rc.change.after, "metadata_options")) == 0
}
