# METADATA
# scope: package
# title: CloudFront without TLS or with an old version (AWS)
# description: Finds distributions that serve plain HTTP, take old TLS or ask their origin in plain text.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     What is served or fetched without TLS can be read and changed on the way, and TLS before 1.2
#     has known weaknesses.
#   mend: >-
#     Set viewer_protocol_policy = "redirect-to-https", minimum_protocol_version = "TLSv1.2_2021"
#     and origin_protocol_policy = "https-only".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cloudfront_distribution" "site" {
#           default_cache_behavior {
#             viewer_protocol_policy = "allow-all"
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_cloudfront_distribution" "site" {
#           default_cache_behavior {
#             viewer_protocol_policy = "redirect-to-https"
#           }
#         }
package tidelock.security.aws.cloudfront_tls

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "Plain HTTP is served: viewer_protocol_policy is allow-all."} if {
	some rc in aws.of({"aws_cloudfront_distribution"})
	some block in {"default_cache_behavior", "ordered_cache_behavior"}
	some behavior in aws.blocks(rc.change.after, block)
	behavior.viewer_protocol_policy == "allow-all"
}

# With the certificate of cloudfront.net nothing can be chosen.
deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_cloudfront_distribution"})
	some certificate in aws.blocks(rc.change.after, "viewer_certificate")
	not certificate.cloudfront_default_certificate == true
	version := plan.text(certificate, "minimum_protocol_version", "TLSv1")
	not startswith(version, "TLSv1.2")
	not startswith(version, "TLSv1.3")
	message := sprintf("Old TLS is accepted: minimum_protocol_version is %s.", [version])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, origin, custom] in origins
	custom.origin_protocol_policy in {"http-only", "match-viewer"}
	message := sprintf("The origin %s is asked in plain text: origin_protocol_policy is %s.", [plan.text(origin, "origin_id", "of it"), custom.origin_protocol_policy])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, origin, custom] in origins
	old := {version | some version in plan.list(custom, "origin_ssl_protocols"); version in {"SSLv3", "TLSv1", "TLSv1.1"}}
	count(old) > 0
	message := sprintf("The origin %s is asked with %s.", [plan.text(origin, "origin_id", "of it"), aws.listed(old)])
}

origins := [[rc, origin, custom] |
	some rc in aws.of({"aws_cloudfront_distribution"})
	some origin in aws.blocks(rc.change.after, "origin")
	some custom in aws.blocks(origin, "custom_origin_config")
]
