# METADATA
# title: Tags as they will be
# description: What each cloud calls tags, and the tags of a resource as far as a plan tells them.
package tidelock.tagging.tags

import data.tidelock.plan
import data.tidelock.tagging.settings

# The attributes that carry what a person may set, by the type's first word.
attributes := {
	"aws": {"tags"},
	"azurerm": {"tags"},
	"google": {"labels", "resource_labels", "user_labels"},
}

# Those that show it, some with the provider's defaults joined in.
carriers := {
	"aws": {"tags", "tags_all"},
	"azurerm": {"tags"},
	"google": {"labels", "resource_labels", "user_labels", "terraform_labels", "effective_labels"},
}

# made: each resource with one of its tags, the provider's defaults among them.
# Values that are not known yet are not there.
made := [[rc, key, value] |
	some type, rcs in plan.made
	not type in settings.exempt_types
	names := carriers[split(type, "_")[0]]
	some rc in rcs
	some [key, value] in {[key, value] |
		some name in names
		some key, value in shaped(rc.change.after[name])
		is_string(value)
	}
]

# Network tags of Google's are a list: another thing of the same name.
shaped(tags) := tags if is_object(tags)

noun(type) := "label" if startswith(type, "google_")

else := "tag"
