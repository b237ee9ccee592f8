# METADATA
# scope: package
# title: Bucket that answers without TLS (AWS)
# description: Finds buckets without a policy that denies requests over plain HTTP.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     S3 answers over plain HTTP as well: whoever listens on the way reads the data and may replay
#     signed requests.
#   mend: >-
#     Add a statement to the bucket's policy that denies s3:* to everyone where
#     aws:SecureTransport is false.
#   controls:
#     cis_aws_3.0: ["2.1.1"]
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#         resource "aws_s3_bucket_policy" "data" {
#           bucket = aws_s3_bucket.data.id
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Deny", "Principal": "*", "Action": "s3:*",
#               "Resource": ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/*"],
#               "Condition": {"Bool": {"aws:SecureTransport": "false"}}
#             }]}
#           EOT
#         }
package tidelock.security.aws.s3_tls_only

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Requests over plain HTTP are not denied."} if {
	some rc in aws.of({"aws_s3_bucket"})
	carriers := object.union({rc.address: rc}, object.get(policies, rc.address, {}))
	not tls_asked(carriers)
}

tls_asked(carriers) if {
	some carrier in carriers
	some s in aws.statements(carrier, ["policy"])
	not s.allows
	aws.anyone(s)
	some c in s.conditions
	plain_http(c)
}

# A policy that can't be read as a whole before the apply may well ask for TLS.
tls_asked(carriers) if {
	some carrier in carriers
	carrier.type == "aws_s3_bucket_policy"
	aws.opaque(carrier, ["policy"])
}

plain_http(c) if {
	c.key == "aws:securetransport"
	"false" in {lower(sprintf("%v", [v])) | some v in c.values}
}

plain_http(c) if {
	c.key == "s3:tlsversion"
	startswith(c.operator, "numericlessthan")
}

policies := aws.parts("aws_s3_bucket_policy")
