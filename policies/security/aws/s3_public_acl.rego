# METADATA
# scope: package
# title: Bucket open to everyone by its ACL (AWS)
# description: Denies ACLs of S3 buckets and objects that let everyone, or everyone with an AWS account, in.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Names of buckets are guessed and listed by machines all day. What everyone may read is
#     copied within hours, and what everyone may write fills up with the malware of others.
#   mend: >-
#     Take the ACL away or set it to private. Serve public files through CloudFront with an origin
#     access control.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket_acl" "data" {
#           bucket = "acme-data"
#           acl    = "public-read"
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket_acl" "data" {
#           bucket = "acme-data"
#           acl    = "private"
#         }
package tidelock.security.aws.s3_public_acl

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_object", "aws_s3_object_copy", "aws_s3_bucket_object"})
	acl := rc.change.after.acl
	acl in {"public-read", "public-read-write", "authenticated-read", "website"}
	message := sprintf("The ACL %s lets everyone in.", [acl])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, grant, grantee] in grants
	some who in {"AllUsers", "AuthenticatedUsers"}
	endswith(grantee.uri, sprintf("/groups/global/%s", [who]))
	message := sprintf("The group %s is granted %s.", [who, plan.text(grant, "permission", "access")])
}

grants := array.concat(separate, inline)

separate := [[rc, grant, grantee] |
	some rc in aws.of({"aws_s3_bucket_acl"})
	some policy in aws.blocks(rc.change.after, "access_control_policy")
	some grant in aws.blocks(policy, "grant")
	some grantee in aws.blocks(grant, "grantee")
]

# The form of the provider before version 4.
inline := [[rc, {"permission": concat(", ", grant.permissions)}, grant] |
	some rc in aws.of({"aws_s3_bucket"})
	some grant in aws.blocks(rc.change.after, "grant")
]
