# METADATA
# scope: package
# title: Role for every repository or tenant (AWS)
# description: Denies roles that a foreign identity provider may take without a condition on whose token it is.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     GitHub, GitLab, Terraform Cloud and others sign tokens for all their customers with one key.
#     A role that does not ask for the subject opens to each of them.
#   mend: >-
#     Add a condition on the token's sub claim that names the repository, project or workspace,
#     such as StringLike token.actions.githubusercontent.com:sub = repo:acme/shop:*.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_role" "ci" {
#           name               = "ci"
#           assume_role_policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
#               "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
#               "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_role" "ci" {
#           name               = "ci"
#           assume_role_policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
#               "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
#               "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}}
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_web_identity

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in aws.trusts
	some principal in s.principals
	some host in shared
	contains(principal, host)
	startswith(principal, "Federated:")
	not subject_named(s)
	message := sprintf("%s lets every customer of %s take the role: no condition names the subject of the token.", [aws.said(s), host])
}

# Providers that sign for all their customers under one address.
shared := {
	"token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "oidc.circleci.com", "agent.buildkite.com",
	"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com",
	"vstoken.dev.azure.com", "oidc.vercel.com",
}

subject_named(s) if {
	some c in s.conditions
	c.operator in {"stringequals", "stringlike", "stringequalsignorecase", "foranyvalue:stringequals", "foranyvalue:stringlike"}
	regex.match(`:(sub|aud|repository|repository_owner|repository_id|repository_owner_id|job_workflow_ref|namespace_path|project_path|terraform_organization_id|organization_id|app_id)$`, c.key)
	not only_an_audience(c)
	every v in c.values {
		named(v)
	}
}

# The audience says for whom a token is, not whose. With Google, Cognito, Amazon
# and Facebook it is the customer's own number.
only_an_audience(c) if {
	endswith(c.key, ":aud")
	not regex.match(`^(accounts\.google\.com|cognito-identity\.amazonaws\.com|graph\.facebook\.com|www\.amazon\.com):`, c.key)
}

# Something before the first star names the customer: "repo:*" names nobody.
named(v) if not regex.match(`^([a-z_]+:)?[*?]`, v)
