# METADATA
# scope: package
# title: Kubernetes secrets under Google's key alone
# description: Finds clusters whose secrets are not encrypted once more by a key in Cloud KMS.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   why: >-
#     Secrets lie in etcd as they are, under the encryption that all of Google's disks have. A key
#     of yours makes a copy of etcd worthless.
#   mend: >-
#     Set database_encryption { state = "ENCRYPTED" } with a key_name, and give the cluster's
#     service agent the right to use the key.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           database_encryption {
#             state    = "ENCRYPTED"
#             key_name = "projects/acme/locations/eu/keyRings/gke/cryptoKeys/main"
#           }
#         }
package tidelock.security.google.gke_secret_encryption

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.clusters
	is := google.value(rc, ["database_encryption", 0, "state"], "DECRYPTED")
	is == "DECRYPTED"
	message := sprintf("Secrets are not encrypted by a key of yours: database_encryption.state is %s.", [is])
}
