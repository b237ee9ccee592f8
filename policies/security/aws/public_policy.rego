# METADATA
# scope: package
# title: Open to everyone by its policy (AWS)
# description: Denies policies of queues, topics, keys, secrets, images, functions and other resources that let everyone in.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     A resource policy with the principal * and no condition lets every AWS account, and often
#     people without one, use the resource. Such doors are found by machines that try all names.
#   mend: >-
#     Name the accounts, roles or services that need it, or add a condition on aws:SourceArn,
#     aws:SourceAccount or aws:PrincipalOrgID.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_sqs_queue_policy" "jobs" {
#           queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_sqs_queue_policy" "jobs" {
#           queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
#               "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:jobs"}}
#             }]}
#           EOT
#         }
package tidelock.security.aws.public_policy

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, argument in carriers
	some rc in plan.made[type]
	some s in aws.statements(rc, [argument])
	aws.for_anyone(s)
	message := sprintf("%s lets everyone in: %s.", [aws.said(s), aws.listed(s.actions | {sprintf("all but %s", [a]) | some a in s.not_actions})])
}

# The argument with the policy, by type.
carriers := {
	"aws_sqs_queue": "policy", "aws_sqs_queue_policy": "policy", "aws_sns_topic": "policy", "aws_sns_topic_policy": "policy",
	"aws_kms_key": "policy", "aws_kms_key_policy": "policy", "aws_kms_external_key": "policy", "aws_kms_replica_key": "policy",
	"aws_secretsmanager_secret": "policy", "aws_secretsmanager_secret_policy": "policy",
	"aws_ecr_repository_policy": "policy", "aws_ecr_registry_policy": "policy",
	"aws_efs_file_system_policy": "policy", "aws_backup_vault_policy": "policy",
	"aws_glacier_vault": "access_policy", "aws_glue_resource_policy": "policy",
	"aws_opensearch_domain": "access_policies", "aws_opensearch_domain_policy": "access_policies",
	"aws_elasticsearch_domain": "access_policies", "aws_elasticsearch_domain_policy": "access_policies",
	"aws_cloudwatch_event_bus_policy": "policy", "aws_cloudwatch_log_destination_policy": "access_policy", "aws_cloudwatch_log_resource_policy": "policy_document",
	"aws_codeartifact_domain_permissions_policy": "policy_document", "aws_codeartifact_repository_permissions_policy": "policy_document",
	"aws_dynamodb_resource_policy": "policy", "aws_kinesis_resource_policy": "policy", "aws_msk_cluster_policy": "policy",
	"aws_redshift_resource_policy": "policy", "aws_schemas_registry_policy": "policy", "aws_s3control_bucket_policy": "policy",
	"aws_s3tables_table_bucket_policy": "resource_policy", "aws_s3_directory_bucket_policy": "policy", "aws_media_store_container_policy": "policy",
	"aws_acmpca_policy": "policy", "aws_lambda_resource_policy": "policy",
}
