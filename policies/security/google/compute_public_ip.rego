# METADATA
# scope: package
# title: Machine with a public address (Google Cloud)
# description: Finds virtual machines and templates of machines with an external address.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.9"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     A machine with an external address is attacked as soon as a firewall rule opens a port, and
#     sends data out past every control.
#   mend: >-
#     Leave access_config out. Reach the machine through Identity-Aware Proxy, let it out through
#     Cloud NAT, and let others in through a load balancer.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           network_interface {
#             subnetwork = "main"
#             access_config {}
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           network_interface {
#             subnetwork = "main"
#           }
#         }
package tidelock.security.google.compute_public_ip

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.machines
	some nic in plan.list(rc.change.after, "network_interface")
	some key in ["access_config", "ipv6_access_config"]
	count(plan.list(nic, key)) > 0
	message := sprintf("A network_interface has an external address: it has a block %s.", [key])
}
