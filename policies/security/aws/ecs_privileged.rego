# METADATA
# scope: package
# title: Container with the rights of its host (AWS)
# description: Finds task definitions and builds whose containers are privileged, or that share the host's processes.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A privileged container is no container: a fault in it gives the host away, and all other
#     containers on it.
#   mend: >-
#     Take privileged away, add single capabilities in linuxParameters, and set pid_mode and
#     ipc_mode to task.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.8.2", "A.8.9"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ecs_task_definition" "agent" {
#           family                = "agent"
#           container_definitions = "[{\"name\": \"agent\", \"privileged\": true}]"
#         }
#     good:
#       hcl: |
#         resource "aws_ecs_task_definition" "agent" {
#           family                = "agent"
#           container_definitions = "[{\"name\": \"agent\", \"readonlyRootFilesystem\": true}]"
#         }
package tidelock.security.aws.ecs_privileged

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_ecs_task_definition"})
	text := plan.text(rc.change.after, "container_definitions", "")
	json.is_valid(text)
	some container in json.unmarshal(text)
	container.privileged == true
	message := sprintf("The container %s is privileged.", [plan.text(container, "name", "of the task")])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_ecs_task_definition"})
	some argument in {"pid_mode", "ipc_mode"}
	rc.change.after[argument] == "host"
	message := sprintf("Its containers share the host: %s is host.", [argument])
}

# A build needs it to make images, and only then.
deny contains {"address": rc.address, "msg": "The build is privileged."} if {
	some rc in aws.of({"aws_codebuild_project"})
	rc.change.after.environment[_].privileged_mode == true
}
