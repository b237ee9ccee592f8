# METADATA
# scope: package
# title: Doubled outside of production
# description: Finds standby databases, several NAT gateways and the like in environments that are not production.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A standby in a second zone doubles the price of a database, and each NAT gateway costs by the
#     hour. Outside of production an hour's outage of a zone can be waited for.
#   mend: >-
#     Make it depend on the environment, as multi_az = var.environment == "production", and share
#     one NAT gateway among the zones.
#   examples:
#     bad:
#       environment: staging
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier = "orders-staging"
#           multi_az   = true
#         }
#     good:
#       environment: production
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier = "orders"
#           multi_az   = true
#         }
package tidelock.cost.nonproduction

import data.tidelock.cost.settings
import data.tidelock.patterns
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	outside
	some type, path in switches
	some rc in plan.made[type]
	object.get(rc.change.after, path, false) in {true, "ZoneRedundant", "SameZone", "REGIONAL", "STANDARD_HA"}
	message := sprintf("This %s has a standby, in the environment %s.", [type, input.project.environment])
}

deny contains {"address": rc.address, "msg": message} if {
	outside
	all := plan.standing.aws_nat_gateway
	count(all) > 1
	some rc in plan.made.aws_nat_gateway
	rc.change.actions == ["create"]
	message := sprintf("This is one of %d NAT gateways, in the environment %s.", [count(all), input.project.environment])
}

deny contains {"msg": message} if {
	some pattern in patterns.unglobbable(settings.nonproduction)
	message := sprintf("The setting cost.nonproduction has %q, which can't be read as a pattern.", [pattern])
}

outside if patterns.globbed(settings.nonproduction, input.project.environment)

# What switches a standby on.
switches := {
	"aws_db_instance": ["multi_az"],
	"aws_elasticache_replication_group": ["multi_az_enabled"],
	"aws_dms_replication_instance": ["multi_az"],
	"aws_fsx_windows_file_system": ["multi_az"],
	"azurerm_mssql_database": ["zone_redundant"],
	"azurerm_mssql_elasticpool": ["zone_redundant"],
	"azurerm_postgresql_flexible_server": ["high_availability", 0, "mode"],
	"azurerm_mysql_flexible_server": ["high_availability", 0, "mode"],
	"azurerm_redis_cache": ["zone_redundant"],
	"google_sql_database_instance": ["settings", 0, "availability_type"],
	"google_redis_instance": ["tier"],
	"google_alloydb_instance": ["availability_type"],
}
