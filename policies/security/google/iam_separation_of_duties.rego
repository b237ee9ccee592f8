# METADATA
# scope: package
# title: Two duties in one hand (Google Cloud)
# description: >-
#   Finds members that both administer service accounts or keys and use them, in the same project.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.8", "1.11"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.3"]
#   why: >-
#     Who both makes the keys and uses them can take data out without anyone else noticing.
#   mend: >-
#     Give administration and use to different members, and the use on the single key or account.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "admin" {
#           project = "acme"
#           role    = "roles/cloudkms.admin"
#           member  = "group:security@example.com"
#         }
#         resource "google_project_iam_member" "use" {
#           project = "acme"
#           role    = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
#           member  = "group:security@example.com"
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_member" "admin" {
#           project = "acme"
#           role    = "roles/cloudkms.admin"
#           member  = "group:security@example.com"
#         }
#         resource "google_project_iam_member" "use" {
#           project = "acme"
#           role    = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
#           member  = "serviceAccount:app@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.iam_separation_of_duties

import data.tidelock.google

# The other role may have been there before.
deny contains {"address": grant.address, "msg": message} if {
	some grant in google.grants(object.keys(google.containers))
	some [admin, user] in apart
	grant.role in {admin, user}
	some other in standing[grant.member]
	other.on == grant.on
	{grant.role, other.role} == {admin, user}
	message := sprintf("%s has both %s and %s.", [grant.member, admin, user])
}

# apart: pairs of roles that one member should not have both of, an
# administrator's first.
apart := [
	["roles/cloudkms.admin", "roles/cloudkms.cryptoKeyDecrypter"],
	["roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypter"],
	["roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypterDecrypter"],
	["roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountTokenCreator"],
	["roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser"],
]

# standing: the grants of these roles as the apply leaves them, by member.
standing := {member: list |
	some member in {grant.member | some grant in telling}
	list := [grant | some grant in telling; grant.member == member]
}

telling := [grant |
	some grant in google.standing_grants(object.keys(google.containers))
	regex.match(`^roles/(iam\.serviceAccount|cloudkms\.)`, grant.role)
]
