# METADATA
# scope: package
# title: Blob container that anyone may read (Azure)
# description: Denies storage containers whose blobs can be read without signing in.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Everyone who knows or guesses the address reads the blobs; with access "container" they are
#     even listed. Leaks of whole customer lists begin like that.
#   mend: >-
#     Set container_access_type to "private" and hand out access by roles or by short-lived
#     signatures; a public website belongs behind a CDN.
#   controls:
#     cis_azure_3.0: ["4.17"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_container" "reports" {
#           name                  = "reports"
#           container_access_type = "blob"
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_container" "reports" {
#           name                  = "reports"
#           container_access_type = "private"
#         }
package tidelock.security.azure.storage_public_container

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_storage_container"})
	access := lower(azure.value(rc, ["container_access_type"], "private"))
	may := {"blob": "read", "container": "list and read"}[access]
	message := sprintf("Anyone may %s the blobs (container_access_type is %q).", [may, access])
}
