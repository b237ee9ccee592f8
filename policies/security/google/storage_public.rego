# METADATA
# scope: package
# title: Public storage bucket (Google Cloud)
# description: Denies grants and access control lists that open a bucket or its objects to everyone.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["5.1"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     Public buckets are listed and copied by strangers within hours of being found, and what was
#     read once can't be taken back.
#   mend: >-
#     Grant the role to the groups and service accounts that need it. What the world shall read goes
#     behind a load balancer with Cloud CDN, or into a project of its own whose buckets hold nothing
#     else.
#   examples:
#     bad:
#       hcl: |
#         resource "google_storage_bucket_iam_member" "reader" {
#           bucket = "acme-invoices"
#           role   = "roles/storage.objectViewer"
#           member = "allUsers"
#         }
#     good:
#       hcl: |
#         resource "google_storage_bucket_iam_member" "reader" {
#           bucket = "acme-invoices"
#           role   = "roles/storage.objectViewer"
#           member = "group:accounting@example.com"
#         }
package tidelock.security.google.storage_public

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public({"google_storage_bucket", "google_storage_managed_folder"})
	message := sprintf("%s has %s.", [grant.who, grant.role])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({
		"google_storage_bucket_access_control",
		"google_storage_default_object_access_control",
		"google_storage_object_access_control",
	})
	message := listed(plan.text(rc.change.after, "role", "READER"), rc.change.after.entity)
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in lists
	some entry in plan.list(rc.change.after, "role_entity")
	[role, entity] := split(entry, ":")
	message := listed(role, entity)
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in lists
	some key in {"predefined_acl", "default_acl"}
	acl := rc.change.after[key]
	acl in {"publicRead", "publicReadWrite", "authenticatedRead"}
	message := sprintf("The %s %s is for everyone.", [key, acl])
}

lists := google.of({"google_storage_bucket_acl", "google_storage_default_object_acl", "google_storage_object_acl"})

listed(role, entity) := sprintf("%s is %s.", [google.crowd[entity], role])
