# METADATA
# title: Plans for tests
# description: Builds the input of a rule's test. Left out of the engine with the tests.
package tidelock.fixture

# A change as Terraform's plan JSON has it, with no unknown values.
change(type, actions, before, after) := {
	"address": sprintf("%s.x", [type]),
	"mode": "managed",
	"type": type,
	"name": "x",
	"change": {"actions": actions, "before": before, "after": after, "after_unknown": {}},
}

create(type, after) := change(type, ["create"], null, after)

update(type, after) := change(type, ["update"], {}, after)

noop(type, after) := change(type, ["no-op"], after, after)

remove(type, before) := change(type, ["delete"], before, null)

replace(type, after) := change(type, ["delete", "create"], {}, after)

# with_unknown(rc, mask) marks values of the change as not known yet.
with_unknown(rc, mask) := object.union(rc, {"change": {"after_unknown": mask}})

input_of(changes) := input_labelled(changes, [])

input_labelled(changes, labels) := {
	"plan": {"resource_changes": changes},
	"resource_changes": changes,
	"pull": {"labels": labels},
	"settings": {},
}

with_settings(given, pack, values) := object.union(given, {"settings": {pack: values}})
