# METADATA
# scope: package
# title: A provisioner runs commands
# description: Finds local-exec and remote-exec provisioners in the code, in modules too.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A provisioner runs commands on the machine that applies, or on the new one, with the rights
#     of the apply. No plan shows what it will do, and it leaves nothing that Terraform could
#     compare or take back.
#   mend: >-
#     Let the image or the machine's own start do it (user_data, cloud-init), use a resource of a
#     provider that knows the service, or run it as a step of the workflow, where it is reviewed.
#   controls:
#     soc2: ["CC8.1"]
#     iso27001_2022: ["A.8.9", "A.8.32"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami           = "ami-0a1b2c3d"
#           instance_type = "t3.micro"
#           provisioner "local-exec" {
#             command = "./register.sh ${self.private_ip}"
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami           = "ami-0a1b2c3d"
#           instance_type = "t3.micro"
#           user_data     = "#!/bin/sh\n/opt/register"
#         }
package tidelock.terraform.provisioners

import data.tidelock.terraform.code
import data.tidelock.terraform.settings

deny contains {"address": address, "msg": message} if {
	some [address, type] in code.provisioned
	type in settings.provisioners
	message := sprintf("A %s provisioner runs commands that no plan shows.", [type])
}

deny contains {"address": path, "msg": "The modules that this one calls are nested too deeply to be looked through."} if {
	some path in code.too_deep
}
