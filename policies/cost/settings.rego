package tidelock.cost.settings

# METADATA
# title: Most rise a month
# description: A plan that raises the monthly cost by more than this is found fault with, in the units of the currency that estimates are in.
# custom:
#   tighter: lower
default most_increase := 1000

most_increase := input.settings.cost.most_increase

# METADATA
# title: Most rise in percent
# description: A plan that raises a project's monthly cost by a larger share than this is found fault with.
# custom:
#   tighter: lower
default most_percent := 50

most_percent := input.settings.cost.most_percent

# METADATA
# title: Rises too small to measure
# description: Rises below this monthly amount are not measured in percent, since a small project doubles soon.
# custom:
#   tighter: lower
default percent_from := 200

percent_from := input.settings.cost.percent_from

# METADATA
# title: Tell of unknown cost
# description: Whether a plan of which not all could be priced is found fault with.
# custom:
#   tighter: higher
default tell_unknown := false

tell_unknown := input.settings.cost.tell_unknown

# METADATA
# title: Sizes that are seldom needed
# description: Instance types, classes and sizes that are found fault with. A star stands for any letters, [3-5] for one of these signs. Case does not matter.
# custom:
#   tighter: more
default oversized := [
	"*.metal*", "*.16xlarge", "*.24xlarge", "*.32xlarge", "*.48xlarge", "*.56xlarge", "*.96xlarge", "*.112xlarge", "p[2-9]*.*", "trn*.*", "dl[0-9]*.*", "u-*", "u7*",
	"x[0-9]*.*", "db.x[0-9]*.*", "mac*.metal", "Standard_M*", "Standard_ND*", "Standard_NC*", "Standard_H[BCX]*",
	"a[2-4]-*", "m[1-4]-*", "x4-*", "*-64", "*-80", "*-96", "*-112", "*-128", "*-176", "*-208", "*-224", "*-360", "*-416",
]

oversized := input.settings.cost.oversized

# METADATA
# title: Expensive types
# description: Resource types that cost much as soon as they exist. A star stands for any letters.
# custom:
#   tighter: more
default expensive_types := [
	"aws_shield_subscription", "aws_cloudhsm_v2_hsm", "aws_ec2_host", "aws_ec2_capacity_block_reservation", "aws_acmpca_certificate_authority", "aws_networkfirewall_firewall", "aws_fsx_ontap_file_system",
	"azurerm_network_ddos_protection_plan", "azurerm_dedicated_host", "azurerm_dedicated_hardware_security_module", "azurerm_key_vault_managed_hardware_security_module", "azurerm_vmware_private_cloud", "azurerm_oracle_exadata_infrastructure", "azurerm_firewall", "azurerm_express_route_circuit",
	"google_vmwareengine_private_cloud", "google_oracle_database_cloud_exadata_infrastructure", "google_compute_node_group", "google_netapp_storage_pool", "google_spanner_instance",
]

expensive_types := input.settings.cost.expensive_types

# METADATA
# title: Environments that are not production
# description: Names of environments in which nothing needs to be there twice. A star stands for any letters.
# custom:
#   tighter: more
default nonproduction := ["dev*", "test*", "staging", "stage", "sandbox", "qa", "preview*", "demo"]

nonproduction := input.settings.cost.nonproduction
