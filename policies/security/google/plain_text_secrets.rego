# METADATA
# scope: package
# title: Secret in plain text (Google Cloud)
# description: >-
#   Finds passwords, tokens and keys in environment variables and in the metadata of machines.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.17"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   why: >-
#     Variables and metadata are shown in the console, kept in every revision and in Terraform's
#     state, and read by any process of the machine.
#   mend: >-
#     Keep the value in Secret Manager, and refer to it by value_source.secret_key_ref (Cloud Run)
#     or secret_environment_variables (Cloud Functions). Change the secret that was written down.
#   examples:
#     bad:
#       hcl: |
#         resource "google_cloudfunctions2_function" "billing" {
#           name     = "billing"
#           location = "europe-west1"
#           service_config {
#             environment_variables = {
#               DB_PASSWORD = "example-only"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_cloudfunctions2_function" "billing" {
#           name     = "billing"
#           location = "europe-west1"
#           service_config {
#             environment_variables = {
#               DB_HOST = "10.0.0.5"
#             }
#             secret_environment_variables {
#               key        = "DB_PASSWORD"
#               project_id = "acme"
#               secret     = "db-password"
#               version    = "3"
#             }
#           }
#         }
package tidelock.security.google.plain_text_secrets

import data.tidelock.google
import data.tidelock.plan

# Values are never part of a message.
deny contains {"address": rc.address, "msg": message} if {
	some [rc, place, name, text] in texts
	secret(name, text)
	message := sprintf("The %s %s holds a secret in plain text.", [place, name])
}

secret(name, text) if {
	regex.match(`(?i)(^|[_-])(password|passwd|passphrase|secret|token|api_?key|private_?key|secret_?key|access_?key|credentials)$`, name)
	not regex.match(`(?i)^(true|false|none|null|\d{0,5}|projects/[^/]+/secrets/.*|sm://.*|/.*|\$\{.*)$`, text)
}

# Forms that only keys have.
secret(_, text) if regex.match(`-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAIza[0-9A-Za-z_-]{35}\b|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[0-9A-Za-z]{36}\b`, text)

texts := array.concat(array.concat(listed, mapped), scripts)

# Cloud Run has a list of variables for each container.
listed := [[rc, "variable", env.name, env.value] |
	some type, path in {
		"google_cloud_run_service": ["template", 0, "spec", 0, "containers"],
		"google_cloud_run_v2_service": ["template", 0, "containers"],
		"google_cloud_run_v2_job": ["template", 0, "template", 0, "containers"],
	}
	some rc in plan.made[type]
	some container in google.blocks(rc, path)
	some env in plan.list(container, "env")
	is_string(env.value)
]

mapped := [[rc, place, name, text] |
	some type, [place, path] in {
		"google_cloudfunctions_function": ["variable", ["environment_variables"]],
		"google_cloudfunctions2_function": ["variable", ["service_config", 0, "environment_variables"]],
		"google_compute_instance": ["metadata", ["metadata"]],
		"google_compute_instance_template": ["metadata", ["metadata"]],
		"google_compute_project_metadata": ["metadata", ["metadata"]],
	}
	some rc in plan.made[type]
	some name, text in google.value(rc, path, {})
	is_string(text)
]

scripts := [[rc, "argument", "metadata_startup_script", text] |
	some rc in google.machines
	text := plan.text(rc.change.after, "metadata_startup_script", "")
]
