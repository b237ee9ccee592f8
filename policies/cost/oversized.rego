# METADATA
# scope: package
# title: A very large size
# description: Finds machines, databases and node pools of sizes that the settings list as seldom needed.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     These sizes cost thousands a month and are mostly chosen by copying, or for a load that never
#     came. Whoever needs one knows why, and can say so.
#   mend: >-
#     Take a smaller size and scale by measurement. If the size is needed, an owner of the policies
#     can take it off the list in oversized.
#   examples:
#     bad:
#       hcl: |
#         resource "aws_instance" "batch" {
#           instance_type = "p4d.24xlarge"
#         }
#     good:
#       hcl: |
#         resource "aws_instance" "batch" {
#           instance_type = "m7i.large"
#         }
package tidelock.cost.oversized

import data.tidelock.cost.settings
import data.tidelock.patterns
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, path in sized
	some rc in plan.made[type]
	some size in sizes(object.get(rc.change.after, path, null))
	patterns.globbed(settings.oversized, size)
	message := sprintf("The size %s is among those that are seldom needed.", [size])
}

deny contains {"msg": message} if {
	some pattern in patterns.unglobbable(settings.oversized)
	message := sprintf("The setting cost.oversized has %q, which can't be read as a pattern.", [pattern])
}

sizes(value) := [value] if is_string(value)

sizes(value) := [size | some size in value; is_string(size)] if is_array(value)

# Where a type's size stands.
sized := {
	"aws_instance": ["instance_type"],
	"aws_launch_template": ["instance_type"],
	"aws_launch_configuration": ["instance_type"],
	"aws_spot_instance_request": ["instance_type"],
	"aws_db_instance": ["instance_class"],
	"aws_rds_cluster_instance": ["instance_class"],
	"aws_docdb_cluster_instance": ["instance_class"],
	"aws_neptune_cluster_instance": ["instance_class"],
	"aws_elasticache_cluster": ["node_type"],
	"aws_elasticache_replication_group": ["node_type"],
	"aws_memorydb_cluster": ["node_type"],
	"aws_redshift_cluster": ["node_type"],
	"aws_dax_cluster": ["node_type"],
	"aws_eks_node_group": ["instance_types"],
	"aws_opensearch_domain": ["cluster_config", 0, "instance_type"],
	"aws_elasticsearch_domain": ["cluster_config", 0, "instance_type"],
	"aws_msk_cluster": ["broker_node_group_info", 0, "instance_type"],
	"aws_mq_broker": ["host_instance_type"],
	"aws_sagemaker_notebook_instance": ["instance_type"],
	"azurerm_linux_virtual_machine": ["size"],
	"azurerm_windows_virtual_machine": ["size"],
	"azurerm_virtual_machine": ["vm_size"],
	"azurerm_linux_virtual_machine_scale_set": ["sku"],
	"azurerm_windows_virtual_machine_scale_set": ["sku"],
	"azurerm_orchestrated_virtual_machine_scale_set": ["sku_name"],
	"azurerm_kubernetes_cluster": ["default_node_pool", 0, "vm_size"],
	"azurerm_kubernetes_cluster_node_pool": ["vm_size"],
	"azurerm_machine_learning_compute_instance": ["virtual_machine_size"],
	"azurerm_machine_learning_compute_cluster": ["vm_size"],
	"google_compute_instance": ["machine_type"],
	"google_compute_instance_template": ["machine_type"],
	"google_compute_region_instance_template": ["machine_type"],
	"google_container_cluster": ["node_config", 0, "machine_type"],
	"google_container_node_pool": ["node_config", 0, "machine_type"],
	"google_sql_database_instance": ["settings", 0, "tier"],
	"google_workbench_instance": ["gce_setup", 0, "machine_type"],
}
