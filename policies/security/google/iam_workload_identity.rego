# METADATA
# scope: package
# title: Federation with everybody's tokens
# description: >-
#   Denies identity providers that take tokens of a service that everyone uses without asking whose
#   they are.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.5"]
#   why: >-
#     GitHub, GitLab and their like sign tokens for all their customers with one key. Without a
#     condition, anyone's pipeline may ask for access.
#   mend: >-
#     Set attribute_condition to the organization or repository, such as
#     assertion.repository_owner_id == "123456", and grant roles to single attributes rather than
#     the whole pool.
#   examples:
#     bad:
#       hcl: |
#         resource "google_iam_workload_identity_pool_provider" "github" {
#           workload_identity_pool_id          = "ci"
#           workload_identity_pool_provider_id = "github"
#           oidc {
#             issuer_uri = "https://token.actions.githubusercontent.com"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_iam_workload_identity_pool_provider" "github" {
#           workload_identity_pool_id          = "ci"
#           workload_identity_pool_provider_id = "github"
#           attribute_condition                = "assertion.repository_owner_id == \"123456\""
#           oidc {
#             issuer_uri = "https://token.actions.githubusercontent.com"
#           }
#         }
package tidelock.security.google.iam_workload_identity

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_iam_workload_identity_pool_provider"})
	some block in google.blocks(rc, ["oidc"])
	some host in shared
	regex.match(sprintf(`^https://%s(/|$)`, [host]), plan.text(block, "issuer_uri", ""))
	not google.given(rc, ["attribute_condition"])
	message := sprintf("Every customer of %s may ask for access: there is no attribute_condition.", [block.issuer_uri])
}

deny contains {"address": grant.address, "msg": message, "level": "advisory"} if {
	some grant in google.grants(object.keys(google.containers) | {"google_service_account"})
	regex.match(`^principalSet://iam\.googleapis\.com/.*/workloadIdentityPools/[^/]+/\*$`, grant.member)
	message := sprintf("Every identity of a pool has %s.", [grant.role])
}

# Hosts, as patterns, that sign tokens for many customers with the same keys.
shared := {
	`token\.actions\.githubusercontent\.com`, `gitlab\.com`, `app\.terraform\.io`, `agent\.buildkite\.com`,
	`accounts\.google\.com`, `api\.bitbucket\.org`, `app\.harness\.io`, `oidc\.vercel\.com`,
}
